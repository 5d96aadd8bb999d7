//! The suite on a server that was started for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use serde_json::Value as Json;
use storagedriver::{BoxError, Parameters, Storage, Value};

use crate::{Harness, Scale, Store};

/// Says where the server is: a storage as JSON, `{"driver": NAME, "parameters": {…}, "address": "127.0.0.1:8080"}`.
/// The address may be left out.
pub const STORAGE_VARIABLE: &str = "STORAGEDRIVER_CONFORMANCE_STORAGE";

/// How long a server may go on with what was asked of it by clients that have left.
const LONGEST_WORK: Duration = Duration::from_secs(60);
/// So long the kernel may take to tell the server's side of a connection that the client's is closed.
const TOLD_AFTER: Duration = Duration::from_millis(100);
/// How often it is looked.
const LOOKED: Duration = Duration::from_millis(5);

type Open = Arc<dyn Fn(Parameters) -> storagedriver::Result<Storage> + Send + Sync>;

/// A harness for a driver whose server runs already, as `cargo xtask conformance` starts one: the variable
/// [`STORAGE_VARIABLE`] says where. With the feature `on-server`.
///
/// One parameter is the place of a store on the server, as `rootdirectory`: it gets a name that no other had.
///
/// ```no_run
/// # use storagedriver::{Parameters, Result, Storage};
/// # fn open(parameters: Parameters) -> Result<Storage> { unimplemented!() }
/// use storagedriver_testsuites::{OnServer, Scale, register_suite};
///
/// fn server() -> OnServer {
///     OnServer::new("s3", "rootdirectory", open).with_scale(Scale::network().with_part_size(5 << 20))
/// }
///
/// register_suite!(server());
/// # fn main() {}
/// ```
///
/// What futures asked of the server that were dropped half-done is waited for where the storage tells the address, and the
/// system tells of connections (Linux): until the server has closed each connection whose client has left. Elsewhere
/// [`Scale::settle`] is waited.
#[derive(Clone)]
pub struct OnServer {
    given: Result<Given, String>,
    place: &'static str,
    open: Open,
    scale: Scale,
    empties: bool,
}

/// What the variable says.
#[derive(Clone)]
struct Given {
    parameters: Parameters,
    port: Option<u16>,
}

impl OnServer {
    /// For the driver of this name; the parameter `place` is made anew for each store. If no server is given for this
    /// driver, opening a store fails and says so.
    pub fn new(
        driver: &str,
        place: &'static str,
        open: impl Fn(Parameters) -> storagedriver::Result<Storage> + Send + Sync + 'static,
    ) -> Self {
        let given = match std::env::var(STORAGE_VARIABLE) {
            Ok(text) => Given::read(driver, &text).map_err(|error| format!("{STORAGE_VARIABLE}: {error}")),
            Err(_) => {
                Err(format!("{STORAGE_VARIABLE} is not set: run this by `cargo xtask conformance {driver}`"))
            }
        };
        OnServer { given, place, open: Arc::new(open), scale: Scale::network(), empties: false }
    }

    /// Another value of a parameter than the one that is given, or one more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        if let Ok(given) = &mut self.given {
            given.parameters.insert(name, value);
        }
        self
    }

    /// How much the suite may ask of the server; [`Scale::network`] unless this is called. Where the run is not
    /// [long](Self::is_long), what is [short](Scale::short) of it.
    #[must_use]
    pub fn with_scale(mut self, scale: Scale) -> Self {
        self.scale = scale;
        self
    }

    /// Whether the run is to be a long one: the variable `STORAGEDRIVER_FULL` is set.
    pub fn is_long() -> bool {
        std::env::var_os("STORAGEDRIVER_FULL").is_some()
    }

    /// Deletes what is in a store, through the driver, when its case is done: for servers that have little room.
    #[must_use]
    pub fn with_emptying(mut self) -> Self {
        self.empties = true;
        self
    }

    /// The parameters of a store that no other call is given.
    ///
    /// # Errors
    /// No server is given for this driver.
    pub fn parameters(&self) -> Result<Parameters, BoxError> {
        static PLACES: AtomicU64 = AtomicU64::new(0);
        let mut parameters = self.given.clone()?.parameters;
        let since = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
        let number = PLACES.fetch_add(1, Ordering::Relaxed);
        parameters.insert(self.place, format!("suite/{since:x}-{number}"));
        Ok(parameters)
    }
}

impl std::fmt::Debug for OnServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OnServer")
            .field("place", &self.place)
            .field("scale", &self.scale)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Harness for OnServer {
    async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
        let parameters = self.parameters()?;
        let port = self.given.as_ref().ok().and_then(|given| given.port);
        let storage = (self.open)(parameters.clone())?;
        let open = self.open.clone();
        Ok(Box::new(Opened { parameters, storage, open, port, empties: self.empties }))
    }

    fn scale(&self) -> Scale {
        if OnServer::is_long() { self.scale.clone() } else { self.scale.clone().short() }
    }
}

struct Opened {
    parameters: Parameters,
    storage: Storage,
    open: Open,
    port: Option<u16>,
    empties: bool,
}

#[async_trait]
impl Store for Opened {
    fn storage(&self) -> Storage {
        self.storage.clone()
    }

    async fn another(&self) -> Result<Option<Storage>, BoxError> {
        Ok(Some((self.open)(self.parameters.clone())?))
    }

    async fn settled(&self) -> bool {
        let Some(port) = self.port else { return false };
        tokio::time::sleep(TOLD_AFTER).await;
        let started = tokio::time::Instant::now();
        while started.elapsed() < LONGEST_WORK {
            let Ok(connections) = tokio::fs::read_to_string("/proc/net/tcp").await else { return false };
            if !has_left(&connections, port) {
                return true;
            }
            tokio::time::sleep(LOOKED).await;
        }
        true
    }

    async fn remove(&self) -> Result<(), BoxError> {
        if !self.empties {
            return Ok(());
        }
        for entry in self.storage.list("/").await? {
            match self.storage.delete(entry.path().as_str()).await {
                Err(error) if !error.is_not_found() => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Given {
    fn read(driver: &str, text: &str) -> Result<Self, String> {
        let json: Json = serde_json::from_str(text).map_err(|error| error.to_string())?;
        match json.get("driver").and_then(Json::as_str) {
            Some(given) if given == driver => {}
            given => {
                return Err(format!(
                    "a storage of {} is given, not of {driver}",
                    given.unwrap_or("no driver")
                ));
            }
        }
        let Some(Value::Map(parameters)) = json.get("parameters").map(value) else {
            return Err("there are no parameters".to_owned());
        };
        let address = json.get("address").and_then(Json::as_str);
        let port = address.and_then(|address| address.rsplit_once(':')?.1.parse().ok());
        Ok(Given { parameters, port })
    }
}

fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Integer(whole),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::String(text.clone()),
        Json::Array(values) => Value::List(values.iter().map(value).collect()),
        Json::Object(members) => {
            Value::Map(members.iter().map(|(name, member)| (name.clone(), value(member))).collect())
        }
    }
}

/// Whether a client has left this port of 127.0.0.1 and the server has not closed the connection: the lines of
/// `/proc/net/tcp` with local and remote address and state, in hexadecimal. What the client has sent may not all be read.
fn has_left(connections: &str, port: u16) -> bool {
    const FIN_WAIT: [&str; 2] = ["04", "05"];
    const CLOSE_WAIT: &str = "08";
    let address = format!("0100007F:{port:04X}");
    connections.lines().any(|line| {
        let mut words = line.split_whitespace().skip(1);
        let (local, remote, state) = (words.next(), words.next(), words.next().unwrap_or_default());
        (local == Some(&address) && state == CLOSE_WAIT)
            || (remote == Some(&address) && FIN_WAIT.contains(&state))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // A failure here fails the test.
mod tests {
    use super::*;

    #[test]
    fn a_storage_is_read() {
        let text = r#"{"driver":"x","parameters":{"a":"b","c":7,"d":true,"e":{"f":["g"]}},"address":"127.0.0.1:8080"}"#;
        let given = Given::read("x", text).unwrap();
        assert_eq!(given.port, Some(8080));
        let mut inner = Parameters::new();
        inner.insert("f", Value::List(vec![Value::from("g")]));
        let mut wanted = Parameters::new();
        wanted.insert("a", "b");
        wanted.insert("c", 7_i64);
        wanted.insert("d", true);
        wanted.insert("e", inner);
        assert_eq!(given.parameters, wanted);
        let refused = |text: &str| Given::read("x", text).err().unwrap();
        assert!(refused(r#"{"driver":"y","parameters":{}}"#).contains("of y"));
        assert!(refused(r#"{"driver":"x"}"#).contains("no parameters"));
        refused("{");
    }

    #[test]
    fn a_connection_whose_client_has_left_is_seen() {
        let (server, client) = ("0100007F:1F90", "0100007F:C3A2");
        let table = |lines: &[(&str, &str, &str)]| -> String {
            let head = "  sl  local_address rem_address   st tx_queue rx_queue\n".to_owned();
            lines.iter().fold(head, |text, (local, remote, state)| {
                text + &format!(
                    "  0: {local} {remote} {state} 00000000:00000000 00:00000000 00000000 0 0 12 1\n"
                )
            })
        };
        let open = (server, client, "01");
        assert!(has_left(&table(&[open, (server, client, "08")]), 8080), "the server reads");
        assert!(has_left(&table(&[open, (client, server, "04")]), 8080), "not all is sent");
        assert!(has_left(&table(&[open, (client, server, "05")]), 8080), "all is sent");
        assert!(!has_left(&table(&[open, (client, server, "01"), (client, server, "06")]), 8080));
        assert!(
            !has_left(&table(&[(client, server, "08"), (server, client, "04")]), 8080),
            "the server has left"
        );
        assert!(!has_left("", 8080));
    }

    /// As on a real server: the client leaves, and the server goes on.
    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn the_system_tells_of_it() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let look = || has_left(&std::fs::read_to_string("/proc/net/tcp").unwrap(), port);
        let client = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (server, _) = listener.accept().unwrap();
        assert!(!look());
        drop(client);
        while !look() {
            tokio::time::sleep(LOOKED).await;
        }
        drop(server);
        assert!(!look());
    }
}
