//! `completions` and `man`.

use std::process::Command;

use crate::run::run;

/// The commands that the help lists.
fn commands() -> Vec<String> {
    let help = run(&["--help"]).ok();
    let listed = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names: Vec<String> = listed
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next().map(str::to_owned))
        .collect();
    let names: Vec<String> = names.into_iter().filter(|name| !name.is_empty() && name != "help").collect();
    assert!(names.len() > 15, "{names:?}");
    names
}

#[test]
fn every_shell_is_told_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(&["completions", shell]).ok();
        for command in commands() {
            assert!(script.contains(&command), "{shell}: {command}");
        }
        assert!(script.contains("abort-older-than"), "{shell}");
    }
    run(&["completions", "no-such-shell"]).failed(2);
    run(&["completions"]).failed(2);
}

#[test]
fn bash_completes_commands_and_options() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), run(&["completions", "bash"]).ok()).unwrap();
    for (line, wanted) in [
        (&["storagedriver", "tr"][..], &["tree"][..]),
        (&["storagedriver", "du", "--de"], &["--depth"]),
        (&["storagedriver", "walk", "--order", ""], &["key", "tree"]),
        (&["storagedriver", "man", "ver"], &["verify"]),
    ] {
        let [.., previous, word] = line else { panic!("two words at least") };
        let script = format!(
            "source '{}'; COMP_WORDS=({}); COMP_CWORD={}; _storagedriver storagedriver '{word}' '{previous}'; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            file.path().display(),
            line.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
            line.len() - 1,
        );
        let output = Command::new("bash").args(["--norc", "-c", &script]).output().unwrap();
        let words = String::from_utf8(output.stdout).unwrap();
        assert_eq!(words.lines().collect::<Vec<_>>(), wanted, "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn there_is_a_page_for_every_command() {
    let program = run(&["man"]).ok();
    assert!(program.contains(".TH STORAGEDRIVER 1") && program.contains("@config.yml"), "{program}");
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(run(&["man", "--directory", directory.path().to_str().unwrap()]).ok(), "");
    for command in commands() {
        let page = run(&["man", &command]).ok();
        assert!(page.contains(&format!(".TH STORAGEDRIVER-{} 1", command.to_uppercase())), "{page}");
        assert!(page.contains("EXIT STATUS") && page.contains("\\-\\-json"), "{page}");
        assert!(program.contains(&format!("storagedriver\\-{command}(1)")), "{command}");
        let written = directory.path().join(format!("storagedriver-{command}.1"));
        assert_eq!(std::fs::read_to_string(written).unwrap(), page);
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), commands().len() + 1);
    assert!(run(&["man", "no-such-command"]).failed(2).contains("no-such-command"));
    run(&["man", "--directory", "/no/such/directory"]).failed(3);
}
