//! Whatever can be said as a storage argument is printed so that it parses back.
#![allow(clippy::unwrap_used)] // A failure here fails the test.

use proptest::prelude::*;
use storagedriver_cli::storage_argument::{StorageArgument, ValueSource};

/// Text rich in the characters that the grammar gives a meaning to.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z/]{1,3}",
        Just(",".to_owned()),
        Just("\"".to_owned()),
        Just("=".to_owned()),
        Just(":".to_owned()),
        Just("@".to_owned()),
        Just("env:".to_owned()),
        Just("file:".to_owned()),
        Just(" ".to_owned()),
        Just("\\".to_owned()),
        Just("é\n".to_owned()),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn source() -> impl Strategy<Value = ValueSource> {
    let named = || text().prop_filter("a name is not empty", |name| !name.is_empty());
    prop_oneof![
        text().prop_map(ValueSource::Literal),
        named().prop_map(ValueSource::Environment),
        named().prop_map(ValueSource::File),
    ]
}

fn argument() -> impl Strategy<Value = StorageArgument> {
    let key = "[A-Za-z0-9_-]{1,3}(\\.[a-z0-9]{1,2}){0,2}";
    let driver =
        ("[a-z0-9-]{1,8}", prop::collection::vec((key, source()), 0..5)).prop_map(|(name, pairs)| {
            let mut argument = StorageArgument::of_driver(&name).unwrap();
            for (key, source) in pairs {
                // A key that repeats or encloses another is left out.
                argument = argument.clone().with(&key, source).unwrap_or(argument);
            }
            argument
        });
    let configuration = (text(), any::<bool>())
        .prop_filter_map("a file name is not empty", |(file, environment)| {
            StorageArgument::of_configuration(&file, environment).ok()
        });
    prop_oneof![4 => driver, 1 => configuration]
}

proptest! {
    #[test]
    fn what_is_printed_parses_back(argument in argument()) {
        let printed = argument.to_string();
        prop_assert_eq!(printed.parse::<StorageArgument>(), Ok(argument), "{}", printed);
    }

    #[test]
    fn any_text_is_parsed_to_what_it_says_or_refused(text in text(), name in "[a-z]{0,2}[:@]?") {
        if let Ok(argument) = format!("{name}{text}").parse::<StorageArgument>() {
            prop_assert_eq!(argument.to_string().parse::<StorageArgument>(), Ok(argument));
        }
    }
}
