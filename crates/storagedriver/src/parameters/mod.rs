//! The parameters of a driver: one definition makes the struct, the table, the parser and the
//! documentation. See [`parameters!`](crate::parameters!).

mod convert;
mod duration;
mod macros;
mod nearest;
mod reader;
mod render;
mod secret;
mod size;
mod table;
pub mod units;

#[doc(hidden)]
pub use convert::{FromValue, kinds};
#[doc(hidden)]
pub use reader::Reader;
pub use secret::Secret;
pub use table::{Kind, Note, Parameter, ParameterTable, Presence};
