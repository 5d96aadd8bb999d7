"""What `protoc` made of `storagedriver/v1/driver.proto`; not edited by hand."""
