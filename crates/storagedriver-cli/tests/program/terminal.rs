//! What a terminal is shown, and what whoever pipes the output gets.

use crate::run::{Store, end, program};

const ESCAPE: char = '\u{1b}';

/// The text without what sets colours.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(ESCAPE) {
        plain.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    plain + rest
}

#[test]
fn a_pipe_gets_colours_only_by_force_and_json_never() {
    let store = Store::with(&["/a/b"]);
    assert_eq!(store.text("ls", &[]), "/a/\n");
    let forced = end(store.command("ls", &[]).env("CLICOLOR_FORCE", "1"), b"").ok();
    assert!(forced.contains(ESCAPE) && plain(&forced) == "/a/\n", "{forced:?}");
    let tree = end(store.command("tree", &["/a"]).env("CLICOLOR_FORCE", "1"), b"").ok();
    assert!(tree.starts_with(ESCAPE) && plain(&tree).starts_with("/a/\n`-- b\n"), "{tree:?}");
    let json = end(store.command("ls", &["--json"]).env("CLICOLOR_FORCE", "1"), b"").ok();
    assert!(json.starts_with('{') && !json.contains(ESCAPE), "{json:?}");
    let mut command = store.command("ls", &["/none"]);
    let failed = end(command.env("CLICOLOR_FORCE", "1"), b"").failed(1);
    assert!(failed.contains(ESCAPE) && plain(&failed).starts_with("storagedriver: "), "{failed:?}");
}

#[test]
fn help_is_as_wide_as_the_screen() {
    for width in [40, 72] {
        let help = end(program(["sync", "--help"]).env("COLUMNS", width.to_string()), b"").ok();
        // The line of the usage is not broken.
        let longest = help.lines().filter(|line| !line.starts_with("Usage")).map(str::len).max().unwrap();
        assert!(longest <= width && longest > width / 2, "{longest} of {width}: {help}");
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::OsStr;
    use std::fs::File;
    use std::io::Read;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::OpenOptionsExt;
    use std::process::{Command, Stdio};

    use rustix::fs::OFlags;
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{Winsize, tcsetwinsize};

    use super::{ESCAPE, plain};
    use crate::run::{Store, program};

    /// What the command shows on a terminal of so many columns.
    fn shown(mut command: Command, columns: u16) -> String {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let no_controlling_terminal = i32::try_from(OFlags::NOCTTY.bits()).unwrap();
        let theirs = File::options()
            .read(true)
            .write(true)
            .custom_flags(no_controlling_terminal)
            .open(OsStr::from_bytes(name.to_bytes()))
            .unwrap();
        tcsetwinsize(&ours, Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let stderr = theirs.try_clone().unwrap();
        command.stdin(Stdio::null()).stdout(theirs).stderr(stderr);
        let mut child = command.spawn().unwrap();
        // It holds their end; the reading ends when nobody does.
        drop(command);
        let mut shown = Vec::new();
        let mut ours = File::from(ours);
        let mut buffer = [0; 4096];
        // Linux reports the end as an error.
        while let Ok(read) = ours.read(&mut buffer)
            && read > 0
        {
            shown.extend_from_slice(&buffer[..read]);
        }
        assert!(child.wait().unwrap().success());
        String::from_utf8(shown).unwrap().replace("\r\n", "\n")
    }

    #[test]
    fn a_terminal_shows_colours_unless_it_is_told_not_to() {
        let store = Store::with(&["/a/b"]);
        let coloured = shown(store.command("ls", &[]), 80);
        assert!(coloured.contains(ESCAPE) && plain(&coloured) == "/a/\n", "{coloured:?}");
        for (name, value) in [("NO_COLOR", "1"), ("CLICOLOR", "0"), ("TERM", "dumb")] {
            let mut command = store.command("ls", &[]);
            command.env(name, value);
            assert_eq!(shown(command, 80), "/a/\n", "{name}");
        }
        // A build server's log takes colours although its terminal cannot do much.
        let mut build = store.command("ls", &[]);
        build.env("TERM", "dumb").env("CI", "true");
        assert!(shown(build, 80).contains(ESCAPE));
        let mut help = program(["ls", "--help"]);
        assert!(shown(program(["ls", "--help"]), 80).contains(ESCAPE));
        help.env("NO_COLOR", "1");
        assert!(!shown(help, 80).contains(ESCAPE));
    }

    #[test]
    fn a_tree_is_drawn_with_lines_where_the_locale_has_them() {
        let store = Store::with(&["/a", "/b"]);
        for (locale, branch) in [("en_GB.UTF-8", "├── a"), ("C", "|-- a")] {
            let mut command = store.command("tree", &[]);
            command.env("NO_COLOR", "1").env("LC_ALL", locale);
            assert!(shown(command, 80).contains(branch), "{locale}");
        }
    }

    #[test]
    fn text_is_as_wide_as_the_terminal() {
        for command in [&["sync", "--help"][..], &["drivers", "filesystem"]] {
            let text = plain(&shown(program(command), 60));
            let longest = text.lines().filter(|line| !line.starts_with("Usage")).map(str::len).max().unwrap();
            assert!(longest <= 60 && longest > 30, "{longest}: {text}");
        }
    }
}
