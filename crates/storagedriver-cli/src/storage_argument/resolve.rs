//! From a storage argument to the parameters of a driver.

use storagedriver::parameters::Kind;
use storagedriver::{Error, ParameterTable, Parameters, Result, Value};

use super::{StorageArgument, ValueSource};

impl StorageArgument {
    /// The parameters, nested ones as maps, with what `env:` and `file:` name read now: from the
    /// environment of the process and from this machine's files.
    ///
    /// `table` tells which parameters are secret; without one, none is known to be.
    ///
    /// # Errors
    /// [`InvalidParameter`](Error::InvalidParameter) for a secret that stands in the argument
    /// itself, where every user of the machine can see it, and for a variable or a file that
    /// cannot be read. The message shows no value.
    pub fn resolve(&self, table: Option<&ParameterTable>) -> Result<Parameters> {
        let driver = self.driver().unwrap_or_default();
        let mut parameters = Parameters::new();
        for (key, source) in self.parameters() {
            let refused = |reason: String| Error::invalid_parameter(driver, key, reason);
            let secret = table
                .and_then(|table| table.find(key))
                .is_some_and(|parameter| matches!(parameter.kind, Kind::Secret));
            if secret && matches!(source, ValueSource::Literal(_)) {
                return Err(refused(format!(
                    "a secret is not written on a command line, where every user of the machine sees it; \
                     write {key}=env:NAME for an environment variable or {key}=file:PATH for a file"
                )));
            }
            let value = source.read().map_err(refused)?;
            insert(&mut parameters, key, value).map_err(refused)?;
        }
        Ok(parameters)
    }
}

impl ValueSource {
    /// The value, or why there is none.
    fn read(&self) -> Result<String, String> {
        match self {
            ValueSource::Literal(text) => Ok(text.clone()),
            ValueSource::Environment(name) => std::env::var(name).map_err(|error| match error {
                std::env::VarError::NotPresent => format!("the environment variable {name} is not set"),
                std::env::VarError::NotUnicode(_) => format!("the environment variable {name} is not UTF-8"),
            }),
            ValueSource::File(path) => match std::fs::read_to_string(path) {
                Ok(text) => {
                    let text = text.strip_suffix('\n').unwrap_or(&text);
                    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
                }
                Err(error) => Err(format!("cannot read the file {path}: {error}")),
            },
        }
    }
}

/// Puts a value where the parts of its key lead. A storage argument has no key that is both a
/// value and a map, so nothing is ever replaced.
fn insert(parameters: &mut Parameters, key: &str, value: String) -> Result<(), String> {
    let Some((outer, inner)) = key.split_once('.') else {
        parameters.insert(key, value);
        return Ok(());
    };
    if !parameters.contains(outer) {
        parameters.insert(outer, Parameters::new());
    }
    match parameters.get_mut(outer) {
        Some(Value::Map(map)) => insert(map, inner, value),
        _ => Err("is a value and holds others as well".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    storagedriver::parameters! {
        /// For these tests.
        pub(crate) struct TestParameters for "test" {
            /// Where.
            root: Path = required,
            /// What nobody may see.
            secretkey: Secret,
        }
    }

    fn resolve(text: &str) -> Result<Parameters> {
        text.parse::<StorageArgument>().unwrap().resolve(Some(&TestParameters::TABLE))
    }

    #[test]
    fn nested_keys_are_maps() {
        let parameters = resolve("test:a.b.c=1,a.b.d=2,a.e=3,f=4").unwrap();
        assert_eq!(parameters.get("f"), Some(&Value::from("4")));
        let Some(Value::Map(a)) = parameters.get("a") else { panic!("no map") };
        assert_eq!(a.get("e"), Some(&Value::from("3")));
        assert_eq!(a.get("b"), Some(&Value::Map(Parameters::from_iter([("c", "1"), ("d", "2")]))));
    }

    #[test]
    fn a_literal_secret_is_refused_and_not_shown() {
        let message = resolve("test:root=/x,secretkey=HIDDEN").unwrap_err().to_string();
        assert!(
            message.contains("secretkey=env:NAME") && message.contains("secretkey=file:PATH"),
            "{message}"
        );
        assert!(!message.contains("HIDDEN"), "{message}");
        let unknown: StorageArgument = "other:secretkey=x".parse().unwrap();
        assert!(unknown.resolve(None).is_ok());
    }

    #[test]
    fn files_lose_one_line_end() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (content, value) in
            [("x", "x"), ("x\n", "x"), ("x\r\n", "x"), ("x\n\n", "x\n"), (" x ", " x "), ("", "")]
        {
            std::fs::write(file.path(), content).unwrap();
            let parameters = resolve(&format!("test:secretkey=file:{}", file.path().display())).unwrap();
            assert_eq!(parameters.get("secretkey"), Some(&Value::from(value)), "{content:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let message = resolve("test:secretkey=env:STORAGEDRIVER_TEST_UNSET").unwrap_err().to_string();
        assert!(message.contains("STORAGEDRIVER_TEST_UNSET is not set"), "{message}");
        let message = resolve("test:secretkey=file:/no/such/file").unwrap_err().to_string();
        assert!(message.contains("/no/such/file"), "{message}");
    }
}
