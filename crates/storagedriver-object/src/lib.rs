//! The engine for flat object stores: one implementation of the storage driver contract, generic
//! over a narrow backend trait. A store without directories implements [`ObjectStoreBackend`] and
//! states in a [`Description`] what it lacks; [`ObjectDriver`] makes a driver of it. Only a store
//! with directories of its own implements `StorageDriver` itself. No backend is in this crate, but
//! one in memory for tests, with the feature `testing`.
#![doc(html_root_url = "https://docs.rs/storagedriver-object")]

mod backend;
mod base;
mod budget;
mod buffer;
mod content;
mod delete;
mod description;
mod driver;
mod engine;
mod error;
mod examine;
#[cfg(feature = "http")]
pub mod http;
mod keys;
mod listing;
mod orphans;
mod pages;
mod parts;
mod publish;
mod rename;
mod sending;
mod session;
mod sessions;
mod streamed;
#[cfg(feature = "testing")]
pub mod testing;
mod unbroken;
mod upload;
mod uploads;
mod walk;
mod window;

pub use backend::{
    Condition, Cursor, Download, ListRequest, Object, ObjectStoreBackend, OpenUpload, Page, Part, PutOptions,
};
pub use budget::Budget;
pub use description::Description;
pub use driver::ObjectDriver;
pub use engine::ObjectOptions;
pub use error::{Failure, StoreError, StoreResult};
pub use examine::Feature;
pub use streamed::{Listed, joined};
pub use unbroken::unbroken;
