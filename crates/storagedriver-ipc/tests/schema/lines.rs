//! A schema as lines, each of which says one thing that programs rely on.

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto};

/// The lines of a schema, in its order. A package of another name makes others of all of them.
pub(crate) fn lines(schema: &FileDescriptorProto) -> Vec<String> {
    let package = match schema.package() {
        "storagedriver.v1" => String::new(),
        other => format!("{other}."),
    };
    let mut lines = Vec::new();
    for method in schema.service.iter().flat_map(|service| &service.method) {
        let side = |is_stream: bool, message: &str| {
            format!("{}{}", if is_stream { "stream " } else { "" }, short(message))
        };
        lines.push(format!(
            "rpc {package}{}({}) returns ({})",
            method.name(),
            side(method.client_streaming(), method.input_type()),
            side(method.server_streaming(), method.output_type()),
        ));
    }
    for message in &schema.message_type {
        for field in &message.field {
            let (name, number) = (field.name(), field.number());
            lines.push(format!(
                "message {package}{}.{name} = {number} {}",
                message.name(),
                kind(message, field)
            ));
        }
    }
    for enumeration in &schema.enum_type {
        for value in &enumeration.value {
            lines.push(format!("enum {package}{}.{} = {}", enumeration.name(), value.name(), value.number()));
        }
    }
    lines
}

/// Type and label of a field: what is on the wire, and what it means if it is not.
fn kind(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let plain = match field.r#type() {
        Type::Message | Type::Enum => short(field.type_name()).to_owned(),
        other => other.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
    };
    if field.label() == Label::Repeated {
        let entry = message.nested_type.iter().find(|nested| plain.ends_with(&format!(".{}", nested.name())));
        let Some([key, value]) = entry.map(|entry| entry.field.as_slice()) else {
            return format!("repeated {plain}");
        };
        return format!("map<{}, {}>", kind(message, key), kind(message, value));
    }
    if field.proto3_optional() {
        return format!("optional {plain}");
    }
    let index = field.oneof_index.and_then(|index| usize::try_from(index).ok());
    match index.and_then(|index| message.oneof_decl.get(index)) {
        Some(oneof) if !oneof.name().starts_with('_') => format!("{plain} one of {}", oneof.name()),
        _ => plain,
    }
}

/// The name of a type, without the package if that is this one.
fn short(name: &str) -> &str {
    name.strip_prefix(".storagedriver.v1.").unwrap_or_else(|| name.trim_start_matches('.'))
}
