//! A way to the NameNode that counts its calls by their names, and can lose the answer of one.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// What a client says before its first frame: magic, version, class, authentication.
const GREETING: usize = 7;

/// What the client asks by itself, now and then.
const BY_THE_WAY: &str = "renewLease";

#[derive(Default)]
struct State {
    calls: BTreeMap<String, usize>,
    /// The call whose next answer is lost, and whether that was.
    losing: Option<String>,
    lost: bool,
}

/// Takes connections until the process ends.
pub(super) struct Relay {
    pub(super) address: String,
    state: Arc<Mutex<State>>,
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Relay {
    pub(super) fn start(namenode: String) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                carry(client.unwrap(), TcpStream::connect(&namenode).unwrap(), shared.clone());
            }
        });
        Relay { address, state }
    }

    /// The calls since this was asked last, without those that the client makes by itself.
    pub(super) fn calls(&self) -> BTreeMap<String, usize> {
        let mut calls = std::mem::take(&mut locked(&self.state).calls);
        calls.remove(BY_THE_WAY);
        calls
    }

    /// The next call of this name is carried out, and its answer lost with the connection.
    pub(super) fn lose(&self, call: &str) {
        let mut state = locked(&self.state);
        (state.losing, state.lost) = (Some(call.to_owned()), false);
    }

    /// Loses nothing any more; whether an answer was.
    pub(super) fn spare(&self) -> bool {
        let mut state = locked(&self.state);
        state.losing = None;
        std::mem::take(&mut state.lost)
    }
}

/// Carries frames both ways, each way by a thread of its own.
fn carry(client: TcpStream, server: TcpStream, state: Arc<Mutex<State>>) {
    let doomed = Arc::new(Mutex::new(None));
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let marked = doomed.clone();
    thread::spawn(move || {
        let mut greeting = [0; GREETING];
        let mut next = from.read_exact(&mut greeting).and_then(|()| to.write_all(&greeting));
        while next.is_ok() {
            next = frame(&mut from).and_then(|frame| {
                if let Some((id, name)) = call(&frame[4..]) {
                    let mut state = locked(&state);
                    if state.losing.as_deref() == Some(&name) {
                        (state.losing, state.lost) = (None, true);
                        *marked.lock().unwrap() = Some(id);
                    }
                    *state.calls.entry(name).or_default() += 1;
                }
                to.write_all(&frame)
            });
        }
        end(&from, &to);
    });
    thread::spawn(move || {
        let (mut from, mut to) = (server, client);
        let mut next = Ok(());
        while next.is_ok() {
            next = frame(&mut from).and_then(|frame| {
                let doomed = *doomed.lock().unwrap();
                if doomed.is_some() && answered(&frame[4..]) == doomed {
                    return Err(std::io::ErrorKind::ConnectionAborted.into());
                }
                to.write_all(&frame)
            });
        }
        end(&from, &to);
    });
}

fn end(one: &TcpStream, other: &TcpStream) {
    // Either may have ended before.
    let _ = (one.shutdown(Shutdown::Both), other.shutdown(Shutdown::Both));
}

/// A frame with its length before it.
fn frame(from: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let mut frame = length.to_vec();
    from.take(u64::from(u32::from_be_bytes(length))).read_to_end(&mut frame)?;
    Ok(frame)
}

/// The number and the name of a call: a header with the number as its field 3, and one with the name as its field 1,
/// each after its length. What is no call (the number is negative then) has none.
fn call(frame: &[u8]) -> Option<(u64, String)> {
    let mut rest = frame;
    let header = message(&mut rest)?;
    let Field::Number(id) = field(header, 3)? else { return None };
    // The sign is the last bit.
    let id = (id % 2 == 0).then_some(id / 2)?;
    let Field::Bytes(name) = field(message(&mut rest)?, 1)? else { return None };
    Some((id, String::from_utf8(name.to_vec()).ok()?))
}

/// The number of the call that a frame answers: field 1 of its header.
fn answered(mut frame: &[u8]) -> Option<u64> {
    match field(message(&mut frame)?, 1)? {
        Field::Number(id) => Some(id),
        Field::Bytes(_) => None,
    }
}

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// A message with its length before it.
fn message<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(number(rest)?).ok()?;
    let (message, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(message)
}

/// A field of a message, by its number.
fn field(mut rest: &[u8], wanted: u64) -> Option<Field<'_>> {
    loop {
        let tag = number(&mut rest)?;
        let field = match tag % 8 {
            0 => Field::Number(number(&mut rest)?),
            2 => Field::Bytes(message(&mut rest)?),
            _ => return None,
        };
        if tag / 8 == wanted {
            return Some(field);
        }
    }
}

/// Seven bits a byte, the lowest first.
fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}
