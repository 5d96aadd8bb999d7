//! Between the model's values and the protocol's messages.

mod error;
mod info;
mod time;
mod value;

pub use error::{error_message, from_error_message, from_status, to_status};
pub use info::{file_info, file_info_message, finding, finding_message, upload_info, upload_info_message};
pub use time::{duration, duration_message, time, time_message};
pub use value::{from_value_map, value_map};
