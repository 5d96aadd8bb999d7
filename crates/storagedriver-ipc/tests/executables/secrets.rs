//! A secret among the parameters is seen nowhere but in the driver.

use std::io;
use std::sync::{Arc, Mutex};

use storagedriver::{ErrorKind, Parameters};
use tracing_subscriber::fmt::MakeWriter;

use crate::executable::Executable;
use crate::{assert_nothing_left, attempt, with_causes};

const SECRET: &str = "sesame-0xC0FFEE-open";

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Log;

    fn make_writer(&self) -> Log {
        self.clone()
    }
}

#[tokio::test]
async fn a_secret_is_seen_nowhere() {
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    // For the whole program: the host has threads of its own.
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let executable = Executable::running("talkative", "strange::talkative");
    let given = || Parameters::from_iter([("password", SECRET), ("starttimeout", "15s")]);
    let storage = attempt(&executable, given()).await.unwrap();
    storage.stat("/").await.unwrap();
    let mut texts = vec![format!("{storage:?}"), format!("{:?}", storage.driver())];
    let process = executable.started()[0].process;
    for file in ["cmdline", "environ"] {
        let text = std::fs::read(format!("/proc/{process}/{file}")).unwrap();
        assert!(!text.is_empty());
        texts.push(String::from_utf8_lossy(&text).into_owned());
    }
    // What fails.
    let error = storage.get_content("/nothing").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PathNotFound);
    texts.extend([with_causes(&error), format!("{error:?}")]);
    let mut wrong = given();
    wrong.insert("shards", SECRET);
    let error = attempt(&executable, wrong).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    // A value that is not a secret may be told; the password may not.
    texts.push(with_causes(&error).replace(&format!("{SECRET:?}"), ""));
    let mut wrong = given();
    wrong.insert("passwort", SECRET);
    let error = attempt(&executable, wrong).await.unwrap_err();
    texts.extend([with_causes(&error), format!("{error:?}")]);
    drop(storage);
    assert_nothing_left(&executable).await;

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("the password is"), "the driver's log did not arrive: {log}");
    texts.push(log);
    for text in texts {
        assert!(!text.contains(SECRET), "{text}");
    }
}
