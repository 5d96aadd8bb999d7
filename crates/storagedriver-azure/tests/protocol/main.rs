//! What goes over the wire, against a server that answers as the tests tell it.

mod copies;
mod errors;
mod scripted;
mod wire;
