//! The suite, on the in-memory driver.

use storagedriver::Storage;
use storagedriver_inmemory::InMemory;
use storagedriver_testsuites::{
    BoxError, Harness, Store, async_trait, register_histories, register_state_machine, register_suite,
};

struct Fresh;

#[async_trait]
impl Harness for Fresh {
    async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
        Ok(Box::new(Opened(Storage::new(InMemory::new()))))
    }
}

struct Opened(Storage);

#[async_trait]
impl Store for Opened {
    fn storage(&self) -> Storage {
        self.0.clone()
    }
}

register_suite!(Fresh);
register_state_machine!(Fresh);
register_histories!(Fresh);
