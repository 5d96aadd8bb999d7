//! From the parameters to a driver that is open.

use std::io::Write;
use std::os::unix::net::UnixListener;
use std::path::Path;

use storagedriver::{ErrorKind, Factory, Guarantee, Outcome, Parameters, PathLimits, Value};
use storagedriver_ipc::RESOLVER;
use storagedriver_ipc::proto::{self, ExamineReply, FileInfo, OpenReply, StatReply};
use tonic::Status;

use crate::fake::{Answers, Fake, external};

async fn refused(parameters: Parameters, parts: &[&str]) -> ErrorKind {
    let error = external(parameters).await.unwrap_err();
    for part in parts {
        assert!(error.to_string().contains(part), "{part:?} in: {error}");
    }
    error.kind()
}

#[tokio::test]
async fn parameters_that_cannot_be_used_are_named() {
    let given = |pairs: &[(&str, &str)]| Parameters::from_iter(pairs.iter().copied());
    refused(given(&[]), &["\"driver\"", "required"]).await;
    refused(given(&[("driver", "../x")]), &["\"driver\"", "[a-z0-9-]+"]).await;
    refused(
        given(&[("driver", "nobody-has-this")]),
        &["registry-storage-nobody-has-this", "PATH", "\"path\""],
    )
    .await;
    refused(given(&[("path", "/nowhere/x")]), &["\"path\"", "/nowhere/x", "is not there"]).await;
    refused(given(&[("path", "/tmp")]), &["/tmp", "is not a file"]).await;
    refused(given(&[("path", "/bin/sh"), ("socket", "/x")]), &["\"socket\"", "\"path\""]).await;
    refused(given(&[("path", "/bin/sh"), ("starttimeout", "0s")]), &["\"starttimeout\""]).await;
    refused(given(&[("socket", "/x"), ("bucket", "b")]), &["\"socket\"", "no parameters", "bucket"]).await;
    // With a map of parameters nothing else is the driver's.
    let mut both = given(&[("path", "/bin/sh"), ("bucket", "b")]);
    both.insert("parameters", Parameters::from_iter([("bucket", "b")]));
    refused(both, &["\"bucket\"", "unknown"]).await;
}

#[tokio::test]
async fn the_short_form_leaves_a_path_to_the_driver_that_is_no_executable_of_its_name() {
    let factory = Factory::new().with_resolver(RESOLVER.resolve);
    let create = |path: &'static str| factory.create("foo", Parameters::from_iter([("path", path)]));
    let error = create("/srv/data").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidStorageDriver, "{error}");
    let error = create("/nowhere/registry-storage-foo").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
    assert!(error.to_string().contains("is not there"), "{error}");
}

#[tokio::test]
async fn nobody_at_the_socket() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("socket").display().to_string();
    let kind =
        refused(Parameters::from_iter([("socket", socket.as_str())]), &["nothing serves", &socket]).await;
    assert_eq!(kind, ErrorKind::Unavailable);
}

fn listen(socket: &Path, talk: impl Fn(std::os::unix::net::UnixStream) + Send + 'static) {
    let listener = UnixListener::bind(socket).unwrap();
    std::thread::spawn(move || listener.incoming().for_each(|stream| talk(stream.unwrap())));
}

#[tokio::test]
async fn silence_and_garbage_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let parameters = |name: &str| {
        let socket = directory.path().join(name).display().to_string();
        Parameters::from_iter([("socket", socket.as_str()), ("starttimeout", "1s")])
    };
    listen(&directory.path().join("silent"), std::mem::forget);
    let kind = refused(parameters("silent"), &["an answer to Negotiate", "1s", "`starttimeout`"]).await;
    assert_eq!(kind, ErrorKind::Unavailable);
    listen(&directory.path().join("garbage"), |mut stream| {
        let _ = stream.write_all(&[0x47; 10_000]);
        std::mem::forget(stream);
    });
    refused(parameters("garbage"), &["does not serve the protocol", "storagedriver.v1"]).await;
    listen(&directory.path().join("closes"), drop);
    refused(parameters("closes"), &["does not serve the protocol"]).await;
}

#[tokio::test]
async fn a_newer_driver_and_another_driver_are_told() {
    let mut answers = Answers::default();
    (answers.negotiated.version, answers.negotiated.min_version, answers.negotiated.max_version) = (0, 2, 3);
    let error = Fake::serve(answers).open().await.unwrap_err();
    for part in ["storagedriver-ipc", "1 to 1", "fake 9", "2 to 3", "update this program"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    let fake = Fake::serve(Answers::default());
    let error = fake.open_with(Parameters::from_iter([("driver", "other")])).await.unwrap_err();
    assert!(error.to_string().contains("\"other\"") && error.to_string().contains("\"fake\""), "{error}");
    assert_eq!(fake.open_with(Parameters::from_iter([("driver", "fake")])).await.unwrap().name(), "fake");
}

#[tokio::test]
async fn what_the_driver_says_of_itself() {
    let opened = OpenReply {
        lacking: vec!["durable".to_owned(), "unheard-of".to_owned()],
        path_limit: 1000,
        component_limit: 0,
        key_prefix: Some("root/".to_owned()),
    };
    let storage = Fake::serve(Answers { opened, ..Answers::default() }).open().await.unwrap();
    assert_eq!(storage.guarantees().lacking().collect::<Vec<_>>(), [Guarantee::Durable]);
    assert_eq!(storage.limits(), PathLimits::new(1000, 255));
    assert_eq!(storage.backend_key("/a/b").unwrap().as_deref(), Some("root/a/b"));
    // It did not say that it can do that.
    let redirect = storagedriver::RedirectRequest::get();
    assert_eq!(storage.redirect_url(&redirect, "/a").await.unwrap(), None);
}

/// What a later version may say, and what only a wrong one says.
#[tokio::test]
async fn values_that_nobody_knows() {
    let stat = |request: proto::StatRequest| match request.path.as_str() {
        "/kind" => {
            Ok(StatReply { info: Some(FileInfo { path: request.path, kind: 77, ..Default::default() }) })
        }
        "/timeless" => Ok(StatReply {
            info: Some(FileInfo { path: request.path, kind: 1, size: Some(1), ..Default::default() }),
        }),
        "/nothing" => Ok(StatReply { info: None }),
        "/code" => Err(Status::new(tonic::Code::from_i32(16), "who are you")),
        _ => Err(Status::unavailable("later")),
    };
    let examine = |_| {
        let finding = proto::Finding { what: "teleports".to_owned(), outcome: 99, ..Default::default() };
        Ok(ExamineReply { findings: vec![finding] })
    };
    let answers = Answers { stat: Box::new(stat), examine: Box::new(examine), ..Answers::default() };
    let fake = Fake::serve(answers);
    let storage = fake.open().await.unwrap();
    for (path, part) in [
        ("/kind", "unknown kind 77"),
        ("/timeless", "without its size or time"),
        ("/nothing", ""),
        ("/code", "who are you"),
    ] {
        let error = storage.stat(path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Backend, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    assert_eq!(storage.stat("/later").await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(storage.list("/").await.unwrap_err().kind(), ErrorKind::Unsupported);
    let findings = storage.examine("/scratch").await.unwrap();
    assert_eq!((findings.len(), findings[0].outcome), (1, Outcome::Unknown));
    // None of that broke the connection.
    assert_eq!(fake.accepted.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[test]
fn a_secret_is_in_no_debug_output() {
    let mut parameters = Parameters::from_iter([("secretkey", "sesame-street")]);
    parameters.insert("nested", Value::Map(Parameters::from_iter([("password", "sesame-street")])));
    let shown = format!(
        "{:?}",
        storagedriver_ipc::ExternalParameters::parse({
            let mut given = Parameters::from_iter([("driver", "foo")]);
            given.insert("parameters", parameters);
            given
        })
    );
    assert!(shown.contains("secretkey") && !shown.contains("sesame"), "{shown}");
}
