//! Keeps the secrets among a driver's parameters out of what its process writes.

use std::fmt;

use storagedriver::{Parameters, Value};

/// What the name of a secret parameter has in it. The host does not know the driver's table.
const NAMES: [&str; 7] = ["secret", "password", "passphrase", "token", "credential", "key", "auth"];

/// Shorter texts are not looked for: they would be found in words.
const SHORTEST: usize = 6;

/// The texts that a process must not show.
#[derive(Clone, Default)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    /// Those among the parameters, by their names.
    pub(super) fn of(parameters: &Parameters) -> Self {
        let mut secrets = Secrets::default();
        secrets.take_map(parameters, false);
        // A secret that is part of another goes last.
        secrets.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets
    }

    fn take_map(&mut self, parameters: &Parameters, secret: bool) {
        for (name, value) in parameters.iter() {
            let name = name.to_ascii_lowercase();
            self.take(value, secret || NAMES.iter().any(|part| name.contains(part)));
        }
    }

    fn take(&mut self, value: &Value, secret: bool) {
        match value {
            Value::Map(map) => self.take_map(map, secret),
            Value::List(values) => values.iter().for_each(|value| self.take(value, secret)),
            // Line by line, as a process writes lines.
            Value::String(text) if secret => {
                let lines = text.lines().map(str::trim).filter(|line| line.len() >= SHORTEST);
                self.0.extend(lines.map(str::to_owned));
            }
            _ => {}
        }
    }

    /// The line without them.
    pub(super) fn hide(&self, mut line: String) -> String {
        for secret in &self.0 {
            if line.contains(secret.as_str()) {
                line = line.replace(secret.as_str(), "<redacted>");
            }
        }
        line
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} secrets", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_like_a_secret_is_hidden() {
        let mut inner = Parameters::new();
        inner.insert("private", "-----BEGIN-----\nabcdefgh\n");
        let mut parameters = Parameters::new();
        parameters.insert("SecretKey", "sesame-street");
        parameters.insert("credentials", inner);
        parameters.insert("rootdirectory", "/srv/registry");
        let secrets = Secrets::of(&parameters);
        let line = "at /srv/registry with sesame-street and abcdefgh".to_owned();
        assert_eq!(secrets.hide(line), "at /srv/registry with <redacted> and <redacted>");
        assert_eq!(format!("{secrets:?}"), "3 secrets");
    }
}
