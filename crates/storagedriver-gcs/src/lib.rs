//! Registry storage driver for Google Cloud Storage.
