//! Shared access signatures: of the [service], of an [account], of a [user]'s delegation; versions
//! from 2020-12-06 to before 2025-07-05, which adds a field.
//!
//! [service]: https://learn.microsoft.com/rest/api/storageservices/create-service-sas
//! [account]: https://learn.microsoft.com/rest/api/storageservices/create-account-sas
//! [user]: https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas

use super::authorise::{needed, sign};
use super::place::Place;
use super::refusal::{Answer, Refused};
use super::{ACCOUNT, DELEGATION_KEY, KEY};
use crate::call::Call;

/// Verifies the signature in the query, and that it permits the request, now and over HTTP.
pub(super) fn check(call: &Call, place: &Place) -> Answer<()> {
    let field = |name: &str| call.parameter(name).unwrap_or_default();
    let (key, text) = if call.parameter("ss").is_some() {
        (KEY, account_text(call))
    } else if call.parameter("skoid").is_some() {
        (DELEGATION_KEY, resource_text(call, place, true))
    } else {
        (KEY, resource_text(call, place, false))
    };
    if sign(key, &text) != field("sig") {
        return Err(Refused::authentication(format!(
            "Signature did not match. String to sign used was {text}"
        )));
    }
    let now = jiff::Timestamp::now();
    let time = |name: &str| call.parameter(name).map(str::parse::<jiff::Timestamp>).transpose();
    let (Ok(start), Ok(Some(end))) = (time("st"), time("se")) else {
        return Err(Refused::authentication("st or se is missing or no time."));
    };
    if start.is_some_and(|start| start > now) || end <= now {
        return Err(Refused::authentication(format!(
            "Signature not valid in the specified time frame: Start [{}] - Expiry [{}] - Current [{now}]",
            field("st"),
            field("se")
        )));
    }
    if call.parameter("spr").is_some_and(|protocols| !protocols.split(',').any(|protocol| protocol == "http"))
    {
        return Err(Refused::new(
            http::StatusCode::FORBIDDEN,
            "AuthorizationProtocolMismatch",
            "This request is not authorized to perform this operation using this protocol.",
        ));
    }
    if !field("sp").contains(needed(call, place)) {
        return Err(Refused::permission());
    }
    Ok(())
}

fn resource_text(call: &Call, place: &Place, of_user: bool) -> String {
    let field = |name: &str| call.parameter(name).unwrap_or_default().to_owned();
    let mut resource = format!("/blob/{ACCOUNT}/{}", place.container);
    if field("sr") != "c" {
        resource += &format!("/{}", place.blob);
    }
    let mut fields = vec![field("sp"), field("st"), field("se"), resource];
    if of_user {
        let names = ["skoid", "sktid", "skt", "ske", "sks", "skv", "saoid", "suoid", "scid"];
        fields.extend(names.map(field));
    } else {
        fields.push(field("si"));
    }
    let names = ["sip", "spr", "sv", "sr", "snapshot", "ses", "rscc", "rscd", "rsce", "rscl", "rsct"];
    fields.extend(names.map(field));
    fields.join("\n")
}

fn account_text(call: &Call) -> String {
    let mut fields = vec![ACCOUNT.to_owned()];
    let names = ["sp", "ss", "srt", "st", "se", "sip", "spr", "sv", "ses"];
    fields.extend(names.map(|name| call.parameter(name).unwrap_or_default().to_owned()));
    fields.push(String::new());
    fields.join("\n")
}
