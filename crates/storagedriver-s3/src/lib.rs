//! Registry storage driver for Amazon S3 and what speaks its protocol.
