//! What an operator asks of Swift and Keystone, past the driver.

use std::sync::Mutex;

use object_store::client::HttpRequest;
use serde_json::{Value, json};
use storagedriver::url::Url;
use storagedriver::{Secret, async_trait};
use storagedriver_object::StoreResult;
use storagedriver_object::http::{
    HeaderName, HeaderValue, HttpClient, HttpOptions, Method, Refusal, ReplyHead, Request, Service, header,
};
use storagedriver_swift::SwiftParameters;

const TOKEN: &str = "x-auth-token";

/// Somebody without a token.
#[derive(Debug)]
struct Nobody;

#[async_trait]
impl Service for Nobody {
    async fn authorize(&self, _: &mut HttpRequest) -> StoreResult<()> {
        Ok(())
    }

    fn refusal(&self, head: &ReplyHead, body: &[u8]) -> Refusal {
        Refusal::plain(head, body)
    }
}

/// One with a token, who gets a new one when it is refused.
#[derive(Debug)]
struct Owner {
    http: HttpClient,
    parameters: SwiftParameters,
    token: Mutex<String>,
}

#[async_trait]
impl Service for Owner {
    async fn authorize(&self, request: &mut HttpRequest) -> StoreResult<()> {
        let token = self.token.lock().unwrap().clone();
        request.headers_mut().insert(TOKEN, HeaderValue::from_str(&token).unwrap());
        Ok(())
    }

    fn refusal(&self, head: &ReplyHead, body: &[u8]) -> Refusal {
        Refusal::plain(head, body)
    }

    fn is_expired(&self, refusal: &Refusal) -> bool {
        refusal.status.as_u16() == 401
    }

    async fn renew(&self) -> bool {
        let session = authenticate(&self.http, &self.parameters).await;
        *self.token.lock().unwrap() = session.token;
        true
    }
}

/// What the identity API answers.
struct Session {
    token: String,
    storage: Url,
    /// What Keystone says of the token.
    told: Value,
}

async fn authenticate(http: &HttpClient, parameters: &SwiftParameters) -> Session {
    let url = Url::parse(&parameters.authurl).unwrap();
    let user = parameters.username.clone().unwrap();
    let password = parameters.password.as_ref().map(Secret::reveal).unwrap().to_owned();
    let request = if url.path().ends_with("/v3") {
        let user = json!({"name": user, "domain": {"name": "Default"}, "password": password});
        let project = json!({"name": parameters.tenant, "domain": {"name": "Default"}});
        let auth = json!({"auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": project},
        }});
        let url = Url::parse(&format!("{url}/auth/tokens")).unwrap();
        let request = Request::new("token", Method::POST, url).body(auth.to_string());
        request.header(header::CONTENT_TYPE, "application/json").unwrap()
    } else {
        let request = Request::new("token", Method::GET, url);
        let request = request.header(HeaderName::from_static("x-auth-user"), &user).unwrap();
        request.header(HeaderName::from_static("x-auth-key"), &password).unwrap()
    };
    let asked = http.exchange(&Nobody, &request, 1 << 20, |head, body| Ok((head.clone(), body)));
    let (head, body) = asked.await.unwrap();
    let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
    let token = head.header("x-subject-token").or_else(|| head.header(TOKEN)).unwrap();
    let endpoint = || {
        let services = answer["token"]["catalog"].as_array().unwrap();
        let store = services.iter().find(|service| service["type"] == "object-store").unwrap();
        store["endpoints"][0]["url"].as_str().unwrap()
    };
    let storage = Url::parse(head.header("x-storage-url").unwrap_or_else(endpoint)).unwrap();
    Session { token: token.to_owned(), storage, told: answer["token"].clone() }
}

/// The owner of the account.
pub(crate) struct Admin {
    owner: Owner,
    storage: Url,
    told: Value,
}

impl Admin {
    pub(crate) async fn new(parameters: &SwiftParameters) -> Self {
        let http = HttpClient::new("swift", HttpOptions::default()).unwrap();
        let Session { token, storage, told } = authenticate(&http, parameters).await;
        let owner = Owner { http, parameters: parameters.clone(), token: Mutex::new(token) };
        Admin { owner, storage, told }
    }

    /// The URL of the account.
    pub(crate) fn storage(&self) -> &Url {
        &self.storage
    }

    /// Of the token: the user's id, the project's.
    pub(crate) fn id(&self, of: &str) -> &str {
        self.told[of]["id"].as_str().unwrap()
    }

    async fn ask(&self, request: Request) -> (ReplyHead, Value) {
        let parsed = self.owner.http.exchange(&self.owner, &request, 1 << 24, |head, body| {
            Ok((head.clone(), serde_json::from_slice(&body).unwrap_or_default()))
        });
        parsed.await.unwrap()
    }

    /// Asks Keystone.
    pub(crate) async fn identity(&self, path: &str, body: &Value) -> Value {
        let url = Url::parse(&format!("{}{path}", self.owner.parameters.authurl)).unwrap();
        let request = Request::new("identity", Method::POST, url).body(body.to_string());
        self.ask(request.header(header::CONTENT_TYPE, "application/json").unwrap()).await.1
    }

    /// Tells Keystone of another way to the account.
    pub(crate) async fn add_region(&self, region: &str, account: &Url) {
        let services = self.told["catalog"].as_array().unwrap();
        let store = services.iter().find(|service| service["type"] == "object-store").unwrap();
        self.identity("/regions", &json!({"region": {"id": region}})).await;
        let endpoint = json!({
            "interface": "public", "region_id": region, "service_id": store["id"], "url": account.as_str(),
        });
        self.identity("/endpoints", &json!({ "endpoint": endpoint })).await;
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("{}/{path}", self.storage.as_str().trim_end_matches('/'))).unwrap()
    }

    /// Makes a container with these headers, or sets them.
    pub(crate) async fn put_container(&self, container: &str, headers: &[(&'static str, &str)]) {
        let mut request = Request::new("container", Method::PUT, self.url(container));
        for (name, value) in headers {
            request = request.header(HeaderName::from_static(name), value).unwrap();
        }
        self.ask(request).await;
    }

    /// The names of all objects that begin so.
    pub(crate) async fn names(&self, prefix: &str) -> Vec<String> {
        let url =
            self.url(&format!("{}?format=json&limit=10000&prefix={prefix}", self.owner.parameters.container));
        let (_, listed) = self.ask(Request::new("list", Method::GET, url)).await;
        let entries = listed.as_array().cloned().unwrap_or_default();
        entries.iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
    }

    /// The head of an object, of which none need be there.
    pub(crate) async fn head(&self, name: &str) -> ReplyHead {
        let url = self.url(&format!("{}/{name}", self.owner.parameters.container));
        self.ask(Request::new("head", Method::HEAD, url)).await.0
    }

    /// Puts an object.
    pub(crate) async fn put(&self, name: &str, content: impl Into<bytes::Bytes>) {
        let url = self.url(&format!("{}/{name}", self.owner.parameters.container));
        self.ask(Request::new("put", Method::PUT, url).body(content)).await;
    }

    /// What a URL leads to for somebody without a token.
    pub(crate) async fn fetch(&self, url: Url) -> bytes::Bytes {
        let request = Request::new("fetch", Method::GET, url);
        self.owner.http.exchange(&Nobody, &request, 1 << 24, |_, body| Ok(body)).await.unwrap()
    }
}
