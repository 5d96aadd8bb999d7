//! What a refusal becomes: the variant, and a message that says what to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::open;
use crate::servers::{options, parameters, small};
use storagedriver::{Error, ErrorKind, Storage, async_trait};
use storagedriver_s3::{AwsCredential, Profile, S3Options as Options};
use storagedriver_testservers::{Authentication, S3Options, S3Refusal, S3Server};
use storagedriver_testsuites::faults::{Fault, FaultProxy, Rule, Schedule, s3};

/// A driver that gives up at once.
fn impatient(server: &S3Server) -> Storage {
    let mut parameters = parameters(&server.endpoint(), "r");
    parameters.maxattempts = 1;
    parameters.into_storage_with(Options::new("s3").with_profile(small("aws"))).unwrap()
}

fn check(error: &Error, kind: ErrorKind, parts: &[&str]) {
    let text = error.to_string();
    assert_eq!(error.kind(), kind, "{text}");
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
    for secret in ["secret\"", "Signature=", "Credential="] {
        assert!(!text.contains(secret) && !format!("{error:?}").contains(secret), "{text}");
    }
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let server = S3Server::start(options()).unwrap();
    let storage = impatient(&server);
    for (refusal, kind, parts) in [
        (S3Refusal::ClockSkew, ErrorKind::Unauthenticated, &["clock"][..]),
        (S3Refusal::ExpiredToken, ErrorKind::Unauthenticated, &["expired", "sessiontoken"]),
        (S3Refusal::UnknownKey, ErrorKind::Unauthenticated, &["accesskey"]),
        (S3Refusal::WrongSecret, ErrorKind::Unauthenticated, &["secretkey"]),
        (S3Refusal::AccessDenied, ErrorKind::PermissionDenied, &["grant s3:PutObject"]),
        (S3Refusal::WrongEndpoint, ErrorKind::Backend, &["eu-central-1", "region"]),
        (S3Refusal::NoSuchBucket, ErrorKind::Backend, &["bucket \"bucket\"", "create"]),
        (S3Refusal::SlowDown, ErrorKind::Throttled, &["SlowDown"]),
        (S3Refusal::InternalError, ErrorKind::Unavailable, &["InternalError"]),
        (S3Refusal::Full, ErrorKind::OutOfSpace, &[]),
    ] {
        server.refuse(Some(refusal));
        let error = storage.put_content("/a", "x").await.unwrap_err();
        check(&error, kind, parts);
        check(&error, kind, &["PutObject", "/a", "request id"]);
        server.refuse(None);
    }
    server.refuse(Some(S3Refusal::SlowDown));
    let error = storage.put_content("/a", "x").await.unwrap_err();
    assert!(
        matches!(error, Error::Throttled { retry_after: Some(wait), .. } if wait == Duration::from_secs(1))
    );
}

/// The reply to a HEAD has no body: what it means has to be told without a code.
#[tokio::test]
async fn refusals_without_a_body_are_told_by_their_status() {
    let server = S3Server::start(options()).unwrap();
    let storage = impatient(&server);
    server.refuse(Some(S3Refusal::AccessDenied));
    check(
        &storage.stat("/a").await.unwrap_err(),
        ErrorKind::PermissionDenied,
        &["s3:GetObject", "s3:ListBucket"],
    );
    server.refuse(Some(S3Refusal::ExpiredToken));
    check(&storage.stat("/a").await.unwrap_err(), ErrorKind::Backend, &["age of the credentials"]);
    server.refuse(Some(S3Refusal::WrongEndpoint));
    check(&storage.stat("/a").await.unwrap_err(), ErrorKind::Backend, &["eu-central-1", "region"]);
}

#[tokio::test]
async fn a_missing_bucket_is_no_missing_file() {
    let server = S3Server::start(S3Options { buckets: vec!["other".to_owned()], ..options() }).unwrap();
    let storage = impatient(&server);
    for error in [
        storage.get_content("/a").await.unwrap_err(),
        storage.list("/").await.unwrap_err(),
        storage.stat("/").await.unwrap_err(),
        storage.stat("/a").await.unwrap_err(),
        storage.delete("/a").await.unwrap_err(),
    ] {
        check(&error, ErrorKind::Backend, &["NoSuchBucket", "create the bucket \"bucket\""]);
    }
}

#[tokio::test]
async fn a_wrong_region_is_named_with_the_right_one() {
    let server = S3Server::start(S3Options { region: "eu-north-1".to_owned(), ..options() }).unwrap();
    let error = impatient(&server).get_content("/a").await.unwrap_err();
    check(&error, ErrorKind::Backend, &["eu-north-1", "set the parameter region"]);
}

#[tokio::test]
async fn wrong_keys_are_told() {
    let server = S3Server::start(options()).unwrap();
    let mut wrong = parameters(&server.endpoint(), "");
    wrong.accesskey = Some("other".to_owned());
    let error = wrong.into_storage().unwrap().get_content("/a").await.unwrap_err();
    check(&error, ErrorKind::Unauthenticated, &["InvalidAccessKeyId"]);
    let mut wrong = parameters(&server.endpoint(), "");
    wrong.secretkey = Some(storagedriver::Secret::new("other"));
    let error = wrong.into_storage().unwrap().get_content("/a").await.unwrap_err();
    check(&error, ErrorKind::Unauthenticated, &["SignatureDoesNotMatch", "secretkey"]);
}

#[tokio::test]
async fn nobody_there_and_no_tls_there() {
    let server = S3Server::start(options()).unwrap();
    let endpoint = server.endpoint().replace("http:", "https:");
    let mut tls = parameters(&endpoint, "");
    tls.maxattempts = 1;
    let error = tls.into_storage().unwrap().get_content("/a").await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Backend | ErrorKind::Unavailable), "{error}");
    assert!(error.to_string().contains("TLS"), "{error}");
    drop(server);
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", socket.local_addr().unwrap());
    drop(socket);
    let mut nobody = parameters(&endpoint, "");
    nobody.maxattempts = 2;
    let error = nobody.into_storage().unwrap().get_content("/a").await.unwrap_err();
    check(&error, ErrorKind::Unavailable, &["127.0.0.1"]);
}

#[tokio::test]
async fn what_the_store_lacks_is_told_with_the_parameter() {
    let server = S3Server::start(S3Options { part_copy: false, ..options() }).unwrap();
    let storage = open(&server.endpoint(), "", small("aws"));
    storage.put_content("/a", vec![0; 200_000]).await.unwrap();
    let error = storage.rename("/a", "/b").await.unwrap_err();
    check(&error, ErrorKind::Unsupported, &["UploadPartCopy", "profile"]);
    assert!(storage.stat("/a").await.is_ok(), "the source is still there");
    assert_eq!(server.store().uploads("bucket").len(), 0, "what was begun is aborted");
}

/// Keys that are exchanged when they have expired.
#[derive(Debug)]
struct Rotating {
    asked: AtomicUsize,
}

#[async_trait]
impl object_store::CredentialProvider for Rotating {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        let token = if asked == 0 { "old" } else { "new" };
        Ok(Arc::new(AwsCredential {
            key_id: "access".to_owned(),
            secret_key: "secret".to_owned(),
            token: Some(token.to_owned()),
        }))
    }
}

#[tokio::test]
async fn expired_keys_are_renewed() {
    let authentication = Authentication::SessionToken("new".to_owned());
    let server = S3Server::start(S3Options { authentication, ..options() }).unwrap();
    for head in [false, true] {
        let credentials = Arc::new(Rotating { asked: AtomicUsize::new(0) });
        let chosen = Options::new("s3").with_profile(Profile::GENERIC).with_credentials(credentials);
        let storage = parameters(&server.endpoint(), "").into_storage_with(chosen).unwrap();
        if head {
            storage.stat("/a").await.unwrap();
        } else {
            storage.put_content("/a", "x").await.unwrap();
        }
    }
}

fn proxied(server: &S3Server) -> (FaultProxy, Storage) {
    let upstream = server.endpoint().trim_start_matches("http://").parse().unwrap();
    let schedule = Schedule::none().classified_by(s3::path_style);
    let proxy = FaultProxy::start(upstream, schedule).unwrap();
    let storage = open(&format!("http://{}", proxy.address()), "", small("aws"));
    (proxy, storage)
}

/// `object_store` takes the 200 for a success: the source would be deleted with no copy there.
#[tokio::test]
async fn an_error_inside_a_success_is_noticed() {
    let server = S3Server::start(options()).unwrap();
    let (proxy, storage) = proxied(&server);
    for (size, operation) in
        [(10, s3::COPY_OBJECT), (200_000, s3::UPLOAD_PART_COPY), (200_000, s3::COMPLETE_MULTIPART_UPLOAD)]
    {
        // Not one that is tried again.
        let fault = Fault::ErrorInSuccess { code: "AccessDenied", applied: false };
        storage.put_content("/a", vec![7; size]).await.unwrap();
        proxy.inject(Rule::new(fault).on(operation));
        let error = storage.rename("/a", "/b").await.unwrap_err();
        check(&error, ErrorKind::PermissionDenied, &[operation, "AccessDenied"]);
        assert_eq!(storage.get_content("/a").await.unwrap().len(), size);
        assert!(storage.stat("/b").await.unwrap_err().is_not_found());
        // One that is.
        let fault = Fault::ErrorInSuccess { code: "InternalError", applied: false };
        proxy.inject(Rule::new(fault).on(operation));
        storage.rename("/a", "/b").await.unwrap();
        assert_eq!(proxy.rules_left(), 0);
        assert_eq!(storage.get_content("/b").await.unwrap().len(), size);
        storage.delete("/b").await.unwrap();
        assert_eq!(server.store().uploads("bucket").len(), 0);
    }
}

#[tokio::test]
async fn a_listing_that_goes_nowhere_is_an_error_and_no_loop() {
    use storagedriver_testsuites::faults::Mark;
    let server = S3Server::start(options()).unwrap();
    let (proxy, storage) = proxied(&server);
    for place in 0..20 {
        server.store().put("bucket", &format!("f{place:02}"), "x");
    }
    proxy.inject(
        Rule::new(Fault::TruncateListing { keep: 3, mark: Mark::TruncatedWithoutToken })
            .on(s3::LIST_OBJECTS_V2),
    );
    let error = storage.list("/").await.unwrap_err();
    check(&error, ErrorKind::Corrupted, &["does not say where"]);
    proxy
        .inject(Rule::new(Fault::TruncateListing { keep: 3, mark: Mark::Truncated }).on(s3::LIST_OBJECTS_V2));
    assert_eq!(storage.list("/").await.unwrap().len(), 20);
}

/// A body that is cut goes on in the same version, or ends in an error.
#[tokio::test]
async fn a_download_that_is_cut_goes_on_in_its_version_alone() {
    let server = S3Server::start(options()).unwrap();
    let (proxy, storage) = proxied(&server);
    let content: Vec<u8> = (0..500_000_u32).map(|place| (place % 251) as u8).collect();
    storage.put_content("/a", content.clone()).await.unwrap();
    proxy.inject(Rule::new(Fault::ResetResponse { after: 100_000 }).on(s3::GET_OBJECT).times(2));
    assert_eq!(storage.get_content("/a").await.unwrap(), content);
    assert_eq!(proxy.rules_left(), 0);
    let requests = server.requests().matching(|request| request.method == "GET");
    assert_eq!(requests.len(), 3);
    for request in &requests[1..] {
        assert!(request.header("range").unwrap().ends_with('-') && request.header("if-match").is_some());
    }
    let options = storagedriver::ReadOptions::from_offset(1000).with_length(400_000);
    proxy.inject(Rule::new(Fault::ResetResponse { after: 100_000 }).on(s3::GET_OBJECT));
    let read = storage.reader("/a", options).await.unwrap().bytes().await.unwrap();
    assert_eq!(read, content[1000..401_000]);
    proxy.inject(Rule::new(Fault::ResetResponse { after: 100_000 }).on(s3::GET_OBJECT));
    let reader = storage.reader("/a", storagedriver::ReadOptions::all()).await.unwrap();
    server.store().put("bucket", "a", vec![1; 500_000]);
    let error = reader.bytes().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
}

/// A store that does not compare the version of a copy's source: a source that is replaced between two
/// parts must not become half of the copy.
#[tokio::test]
async fn a_copy_in_parts_is_of_one_version_where_the_store_does_not_compare() {
    use storagedriver_testsuites::faults::{Hold, Place};
    let server = S3Server::start(S3Options { conditional_copy: false, ..options() }).unwrap();
    let upstream = server.endpoint().trim_start_matches("http://").parse().unwrap();
    let proxy = FaultProxy::start(upstream, Schedule::none().classified_by(s3::path_style)).unwrap();
    let mut profile = small("swift-s3api");
    assert!(!profile.conditional_copy);
    profile.conditional_delete = true;
    let storage = open(&format!("http://{}", proxy.address()), "", profile);
    storage.put_content("/a", vec![1; 200_000]).await.unwrap();
    let hold = Fault::Stall { place: Place::BeforeRequest, hold: Hold::UntilReleased };
    proxy.inject(Rule::new(hold).on(s3::UPLOAD_PART_COPY).skip(3));
    let renaming = tokio::spawn({
        let storage = storage.clone();
        async move { storage.rename("/a", "/b").await }
    });
    proxy.until_held(1).await;
    server.store().put("bucket", "a", vec![2; 200_000]);
    proxy.release();
    renaming.await.unwrap().unwrap();
    assert_eq!(storage.get_content("/b").await.unwrap(), vec![2; 200_000], "the copy was begun anew");
}
