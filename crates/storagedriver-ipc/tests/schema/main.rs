//! Version 1 of the protocol only grows: each line of `version-1.txt` still holds. What a newer schema adds is added there when
//! it is released, and never taken out.
#![allow(clippy::unwrap_used, reason = "a failure fails the test")]

mod lines;

use std::collections::BTreeSet;

use lines::lines;
use prost::Message;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet,
};

/// What was released.
const FROZEN: &str = include_str!("version-1.txt");

/// The schema as it is, made by `cargo xtask proto`.
fn schema() -> FileDescriptorProto {
    let set = include_bytes!("../../proto/storagedriver.v1.binpb");
    let files = FileDescriptorSet::decode(&set[..]).unwrap().file;
    let [file] = <[_; 1]>::try_from(files).unwrap();
    file
}

/// The lines that hold no longer.
fn broken(schema: &FileDescriptorProto) -> Vec<&'static str> {
    let present = BTreeSet::from_iter(lines(schema));
    FROZEN.lines().filter(|line| !present.contains(*line)).collect()
}

#[test]
fn what_was_released_still_holds() {
    let schema = schema();
    let broken = broken(&schema);
    assert!(broken.is_empty(), "an older program would no longer understand:\n{}", broken.join("\n"));
    // So that what is added is frozen too, once it is released.
    let frozen = BTreeSet::from_iter(FROZEN.lines().map(str::to_owned));
    let new: Vec<_> = lines(&schema).into_iter().filter(|line| !frozen.contains(line)).collect();
    println!("not frozen yet: {new:#?}");
    assert!(frozen.len() > 150);
}

fn message<'a>(schema: &'a mut FileDescriptorProto, name: &str) -> &'a mut DescriptorProto {
    schema.message_type.iter_mut().find(|message| message.name() == name).unwrap()
}

fn field<'a>(schema: &'a mut FileDescriptorProto, name: &str, field: &str) -> &'a mut FieldDescriptorProto {
    message(schema, name).field.iter_mut().find(|found| found.name() == field).unwrap()
}

fn enumeration<'a>(schema: &'a mut FileDescriptorProto, name: &str) -> &'a mut EnumDescriptorProto {
    schema.enum_type.iter_mut().find(|found| found.name() == name).unwrap()
}

#[test]
fn what_breaks_an_older_program_is_noticed() {
    let breaks = |change: &dyn Fn(&mut FileDescriptorProto), expected: &[&str]| {
        let mut schema = schema();
        change(&mut schema);
        assert_eq!(broken(&schema), expected);
    };
    let size = "message FileInfo.size = 3 optional uint64";
    breaks(&|schema| message(schema, "FileInfo").field.retain(|field| field.name() != "size"), &[size]);
    breaks(&|schema| field(schema, "FileInfo", "size").number = Some(9), &[size]);
    breaks(&|schema| field(schema, "FileInfo", "size").name = Some("bytes".into()), &[size]);
    breaks(&|schema| field(schema, "FileInfo", "size").set_type(Type::Sint64), &[size]);
    breaks(&|schema| field(schema, "FileInfo", "size").set_label(Label::Repeated), &[size]);
    breaks(&|schema| field(schema, "FileInfo", "size").proto3_optional = Some(false), &[size]);
    breaks(
        &|schema| field(schema, "StatReply", "info").type_name = Some(".storagedriver.v1.UploadInfo".into()),
        &["message StatReply.info = 1 FileInfo"],
    );
    breaks(
        &|schema| field(schema, "WriteRequest", "chunk").oneof_index = None,
        &["message WriteRequest.chunk = 2 WriteChunk one of step"],
    );
    breaks(
        &|schema| message(schema, "OpenRequest").nested_type.clear(),
        &["message OpenRequest.parameters = 2 map<string, Value>"],
    );
    breaks(
        &|schema| enumeration(schema, "WriteMode").value.truncate(2),
        &["enum WriteMode.WRITE_MODE_APPEND = 2"],
    );
    breaks(
        &|schema| enumeration(schema, "Outcome").value.last_mut().unwrap().number = Some(3),
        &["enum Outcome.OUTCOME_NO = 2"],
    );
    let walk = "rpc Walk(stream WalkRequest) returns (stream WalkReply)";
    let method = |schema: &mut FileDescriptorProto,
                  change: &dyn Fn(&mut prost_types::MethodDescriptorProto)| {
        let methods = schema.service.iter_mut().flat_map(|service| &mut service.method);
        change(methods.into_iter().find(|method| method.name() == "Walk").unwrap());
    };
    breaks(&|schema| method(schema, &|walk| walk.client_streaming = None), &[walk]);
    breaks(&|schema| method(schema, &|walk| walk.output_type = Some(".x.Y".into())), &[walk]);
    let mut renamed = schema();
    renamed.package = Some("storagedriver.v2".into());
    assert_eq!(broken(&renamed).len(), FROZEN.lines().count());
}

#[test]
fn what_is_added_breaks_nobody() {
    let mut schema = schema();
    let new = FieldDescriptorProto { name: Some("owner".into()), number: Some(6), ..Default::default() };
    message(&mut schema, "FileInfo").field.insert(0, new);
    let value = prost_types::EnumValueDescriptorProto {
        name: Some("WRITE_MODE_NEW".into()),
        number: Some(3),
        options: None,
    };
    enumeration(&mut schema, "WriteMode").value.push(value);
    schema.message_type.push(DescriptorProto { name: Some("New".into()), ..Default::default() });
    let method = prost_types::MethodDescriptorProto {
        name: Some("New".into()),
        input_type: Some(".storagedriver.v1.New".into()),
        output_type: Some(".storagedriver.v1.New".into()),
        ..Default::default()
    };
    schema.service.first_mut().unwrap().method.push(method);
    assert!(broken(&schema).is_empty());
    assert_eq!(lines(&schema).len(), lines(&self::schema()).len() + 3);
}
