//! The engine for flat object stores: one implementation of the storage driver contract, generic
//! over a narrow backend trait. A store without directories implements [`ObjectStoreBackend`] and
//! states in a [`Description`] what it lacks; only a store with directories of its own implements
//! `StorageDriver` itself. No backend is in this crate.
#![doc(html_root_url = "https://docs.rs/storagedriver-object")]

mod backend;
mod description;
mod error;

pub use backend::{
    Condition, Cursor, Download, ListRequest, Object, ObjectStoreBackend, OpenUpload, Page, Part, PutOptions,
};
pub use description::Description;
pub use error::{Failure, StoreError, StoreResult};
