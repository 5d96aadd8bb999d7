//! Registry storage driver for Azure Blob Storage.
