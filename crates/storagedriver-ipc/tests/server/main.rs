//! The kit that serves a driver, called by a client that is nothing but the generated code.

mod calls;
mod entries;
mod frames;
mod opening;
mod probe;
mod raw;
mod uploads;
mod walks;
