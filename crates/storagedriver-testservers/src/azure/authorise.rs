//! Who a request is from: [shared key], token, or a signature in the query.
//!
//! [shared key]: https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use ring::hmac;

use super::place::Place;
use super::refusal::{Answer, Refused};
use super::sas;
use super::{ACCOUNT, KEY};
use crate::call::Call;

/// How far the date of a request may be from the server's, in seconds.
const SKEW: i64 = 15 * 60;
/// Headers that are signed by their place, after the method.
const SIGNED: [&str; 11] = [
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
];

/// How a request was proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    SharedKey,
    Token,
    Signature,
}

pub(super) fn authorise(call: &Call, place: &Place, token: &str) -> Answer<Proof> {
    if call.parameter("sig").is_some() {
        sas::check(call, place)?;
        return Ok(Proof::Signature);
    }
    let Some(sent) = call.header("authorization") else {
        return Err(Refused::token(
            "NoAuthenticationInformation",
            "Server failed to authenticate the request. Please refer to the information in the www-authenticate \
             header.",
        ));
    };
    if let Some(sent) = sent.strip_prefix("Bearer ") {
        if sent == token {
            return Ok(Proof::Token);
        }
        let message = "Server failed to authenticate the request. Please refer to the information in the \
                       www-authenticate header.";
        return Err(Refused::token("InvalidAuthenticationInfo", message));
    }
    let signature = sent
        .strip_prefix("SharedKey ")
        .and_then(|credentials| credentials.split_once(':'))
        .filter(|(account, _)| *account == ACCOUNT)
        .map(|(_, signature)| signature)
        .ok_or_else(|| {
            Refused::authentication("The account or the scheme of the Authorization header is unknown.")
        })?;
    check_date(call)?;
    let text = string_to_sign(call);
    if sign(KEY, &text) == signature {
        return Ok(Proof::SharedKey);
    }
    Err(Refused::authentication(format!(
        "The MAC signature found in the HTTP request '{signature}' is not the same as any computed signature. Server \
         used following string to sign: '{text}'."
    )))
}

fn check_date(call: &Call) -> Answer<()> {
    let date = call.header("x-ms-date").or_else(|| call.header("date")).unwrap_or_default();
    let sent = jiff::fmt::rfc2822::parse(date)
        .map_err(|_| Refused::authentication("The Date header in the request is incorrect."))?;
    let apart = jiff::Timestamp::now().as_second().saturating_sub(sent.timestamp().as_second());
    if apart.abs() > SKEW {
        return Err(Refused::authentication(format!("Request date header too old: '{date}'")));
    }
    Ok(())
}

/// HMAC-SHA256 of a text by a key in base64, in base64.
pub(super) fn sign(key: &str, text: &str) -> String {
    let key = STANDARD.decode(key).unwrap_or_default();
    STANDARD.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), text.as_bytes()))
}

fn string_to_sign(call: &Call) -> String {
    let mut text = format!("{}\n", call.method);
    for name in SIGNED {
        let value = call.header(name).unwrap_or_default();
        // A length of nothing is signed as none, and the date only where it is the one that counts.
        let empty = (name == "content-length" && value == "0")
            || (name == "date" && call.headers.contains_key("x-ms-date"));
        text += &format!("{}\n", if empty { "" } else { value });
    }
    let mut names: Vec<&str> =
        call.headers.keys().map(http::HeaderName::as_str).filter(|name| name.starts_with("x-ms-")).collect();
    names.sort_unstable();
    for name in names {
        text += &format!("{name}:{}\n", call.header(name).unwrap_or_default().trim());
    }
    text += &format!("/{ACCOUNT}{}", call.path);
    let mut parameters: Vec<(String, &str)> =
        call.query.iter().map(|(name, value)| (name.to_lowercase(), value.as_str())).collect();
    parameters.sort_unstable();
    let mut before = None;
    for (name, value) in parameters {
        if before.as_ref() == Some(&name) {
            text += &format!(",{value}");
        } else {
            text += &format!("\n{name}:{value}");
        }
        before = Some(name);
    }
    text
}

/// What a signature in the query must permit for this request.
pub(super) fn needed(call: &Call, place: &Place) -> &'static [char] {
    match call.method {
        _ if place.blob.is_empty() => &['l'],
        Method::DELETE => &['d'],
        Method::PUT => &['w', 'c', 'a'],
        _ => &['r'],
    }
}
