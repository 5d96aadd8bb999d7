//! What came out, as a picture: for each row how many times the speed of each peer ours has, on a scale on which twice
//! and half are equally far from the middle.

use std::fmt::Write as _;

use super::bed::Bed;
use super::results::Results;

/// A peer with its colour.
const COLOURS: [(&str, &str); 6] = [
    ("go", "#0072b2"),
    ("opendal", "#d55e00"),
    ("object_store", "#009e73"),
    ("raw", "#777777"),
    ("in-process", "#cc79a7"),
    ("echo", "#b8860b"),
];

/// Lengths in pixels.
const LINE: f64 = 16.0;
const NAMES: f64 = 190.0;
const OCTAVE: f64 = 44.0;
const TOP: f64 = 56.0;

/// What is further is drawn at the edge: as exponents of two.
const LEAST: f64 = -4.0;
const MOST: f64 = 10.0;

/// The chart of everything that was measured, as SVG.
pub(crate) fn svg(results: &Results) -> String {
    let mut body = String::new();
    let mut y = TOP;
    for bed in results.beds() {
        y += LINE;
        text(&mut body, 8.0, y, "font-weight=\"bold\"", &bed.driver());
        for workload in results.workloads(bed) {
            y += LINE;
            row(&mut body, results, bed, workload, y);
        }
        y += LINE / 2.0;
    }
    let (width, height) = (place(MOST) + 24.0, y + LINE);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    text(&mut svg, 8.0, LINE, "font-size=\"13\"", "How many times the speed of each ours has");
    legend(&mut svg);
    scale(&mut svg, height - LINE);
    svg + &body + "</svg>\n"
}

/// Where a ratio lies, by its exponent of two.
fn place(exponent: f64) -> f64 {
    NAMES + (exponent.clamp(LEAST, MOST) - LEAST) * OCTAVE
}

fn row(svg: &mut String, results: &Results, bed: Bed, workload: &str, y: f64) {
    text(svg, 20.0, y, "", workload);
    for (peer, colour) in COLOURS {
        let Some(ratio) = results.ratio(bed, workload, peer) else { continue };
        let (x, y) = (place(ratio.log2()), y - 4.0);
        let title = format!("{workload}: {ratio:.2} times {peer}");
        let _ = writeln!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\" fill-opacity=\"0.85\"><title>{title}\
             </title></circle>"
        );
    }
}

fn legend(svg: &mut String) {
    let mut x = 8.0;
    for (peer, colour) in COLOURS {
        let y = LINE * 2.0;
        let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{:.1}\" r=\"4\" fill=\"{colour}\"/>", y - 4.0);
        text(svg, x + 8.0, y, "", peer);
        x += 100.0;
    }
}

/// A line for each power of two; the one for as fast is the heaviest.
fn scale(svg: &mut String, bottom: f64) {
    let mut exponent = LEAST;
    while exponent <= MOST {
        let x = place(exponent);
        let colour = if exponent == 0.0 { "#000000" } else { "#dddddd" };
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" y1=\"{TOP:.1}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\" stroke=\"{colour}\"/>"
        );
        let ratio = exponent.exp2();
        let label = if ratio < 1.0 { format!("1/{}", 1.0 / ratio) } else { format!("{ratio}") };
        text(svg, x - 6.0, TOP - 4.0, "", &label);
        exponent += 1.0;
    }
}

/// Names are made of letters, digits and hyphens: nothing has to be escaped.
fn text(svg: &mut String, x: f64, y: f64, attributes: &str, words: &str) {
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" {attributes}>{words}</text>");
}

#[cfg(test)]
mod tests {
    use super::super::results::Run;
    use super::super::results::tests::{add, measured};
    use super::*;

    #[test]
    fn twice_as_fast_is_an_octave_to_the_right() {
        let mut results = Results::default();
        for (subject, nanoseconds) in [("ours", 100), ("go", 200), ("opendal", 100)] {
            add(&mut results, Bed::InMemory, "get", subject, Run::Measured(measured(nanoseconds, 1)));
        }
        let svg = svg(&results);
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(svg.contains("<title>get: 2.00 times go</title>"), "{svg}");
        assert!(svg.contains(&format!("cx=\"{:.1}\"", NAMES + 4.0 * OCTAVE)), "{svg}");
        assert!(svg.contains(&format!("cx=\"{:.1}\"", NAMES + 5.0 * OCTAVE)), "{svg}");
    }

    #[test]
    fn what_is_far_off_is_at_the_edge() {
        assert_eq!(place(20.0), place(MOST));
        assert_eq!(place(-9.0), NAMES);
    }
}
