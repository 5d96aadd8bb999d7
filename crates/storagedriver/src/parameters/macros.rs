//! The macro that defines a driver's parameters.

/// Defines the parameters of a driver once: makes the struct with typed public fields, its
/// `TABLE` (a [`ParameterTable`](crate::ParameterTable)), and `parse`, which reads
/// [`Parameters`](crate::Parameters) and fails with
/// [`InvalidParameter`](crate::Error::InvalidParameter) naming driver, parameter, what was given
/// (never a secret) and what is allowed.
///
/// ```
/// use storagedriver::Parameters;
///
/// storagedriver::parameters! {
///     /// Parameters of the driver `example`.
///     pub struct ExampleParameters for "example" {
///         /// The directory that everything lies below.
///         rootdirectory: Path = "/var/lib/registry",
///         /// The bucket; it has to exist.
///         bucket: String = required,
///         /// The region. Not needed with an endpoint.
///         region: String { required_unless: "regionendpoint" },
///         /// Another endpoint than the region's.
///         regionendpoint: String,
///         /// The secret part of the key.
///         secretkey: Secret { aliases: ["secret"] },
///         /// The size of a part.
///         chunksize: Bytes(5 MiB ..= 5 GiB) = 10 MiB,
///         /// How long to wait for an answer.
///         timeout: Duration(1 s ..) = "20m",
///         /// How many operations run at once.
///         maxthreads: Limit(25) = 100,
///         /// What an answer waits for.
///         durability: Choice("full", "none") = "full",
///     }
///     ignored { "oldkey": "the store no longer has it" }
///     refused { "v2auth": "use v4auth" }
/// }
///
/// # fn main() -> storagedriver::Result<()> {
/// let given = [("bucket", "layers"), ("regionendpoint", "http://127.0.0.1:9000"), ("chunksize", "16 MiB")];
/// let parameters = ExampleParameters::parse(Parameters::from_iter(given))?;
/// assert_eq!(parameters.chunksize, 16 * 1024 * 1024);
/// assert_eq!(parameters.timeout, std::time::Duration::from_secs(20 * 60));
/// assert_eq!(parameters.region, None);
///
/// let error = ExampleParameters::parse(Parameters::from_iter([("buckte", "layers")])).unwrap_err();
/// assert_eq!(error.to_string(), r#"example: parameter "buckte": is unknown; did you mean "bucket"?"#);
/// # Ok(())
/// # }
/// ```
///
/// # Kinds
///
/// | Kind | Field type | Takes |
/// |---|---|---|
/// | `String` | `String` | text; an integer or boolean counts as its text |
/// | `Bool` | `bool` | a boolean; `true`, `yes`, `on`, `t`, `1` and their opposites as strings |
/// | `Integer`, `Integer(1 ..= 9)`, `Integer(1 ..)` | `i64` | a whole number, or one as a string |
/// | `Bytes`, `Bytes(5 MiB ..= 5 GiB)`, `Bytes(1 MiB ..)` | `u64` | `10485760`, `10 MiB` |
/// | `Duration`, `Duration(1 s ..= 12 h)`, `Duration(1 s ..)` | [`Duration`](std::time::Duration) | `20m`, `1h30m`, `7 days` |
/// | `Choice("a", "b")` | `&'static str` | one of the words, in any case |
/// | `List` | `Vec<String>` | a list of scalars, or a string with commas |
/// | `Map` | [`Parameters`](crate::Parameters) | a map |
/// | `Secret` | [`Secret`](crate::Secret) | text, never shown |
/// | `Path` | [`PathBuf`](std::path::PathBuf) | a path of this machine |
/// | `Limit(25)` | `u64` | Distribution's `maxthreads`: what is below is raised, silently |
///
/// A field is an `Option` of its type unless it has a default (`= 10 MiB`, `= "20m"`) or is
/// `= required`. A null counts as left out, and so does an empty string for a `String`, `Secret`,
/// `Path` or `Choice` without a default.
///
/// # Options
///
/// In braces after the kind and default: `name: "credentials.type"` where the configuration's name
/// is not the field's (a dot leads into a nested map), `aliases: ["other"]`,
/// `deprecated: "use chunksize"`, `required_unless: "other"`. After the struct: `ignored`, names
/// that are warned about, and `refused`, names that are errors, each with the reason.
/// `for "name", case_insensitive` makes names match in any case.
#[macro_export]
macro_rules! parameters {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident for $driver:literal $(, $case:ident)? {
            $(
                $(#[doc = $doc:literal])*
                $field:ident : $kind:ident $(($($argument:tt)*))? $(= $default:tt $($unit:ident)?)?
                $({ $($option:ident : $value:tt),* $(,)? })?
            ),* $(,)?
        }
        $(ignored { $($ignored:literal : $why:literal),* $(,)? })?
        $(refused { $($refused:literal : $reason:literal),* $(,)? })?
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone)]
        #[non_exhaustive]
        $vis struct $name {
            $(
                $(#[doc = $doc])*
                $vis $field: $crate::__parameter!(@field $kind $($default)?),
            )*
        }

        impl $name {
            /// The parameters as data: names, kinds, defaults and what they do.
            $vis const TABLE: $crate::ParameterTable = {
                #[allow(unused_imports)]
                use $crate::parameters::units::*;
                const PARAMETERS: &[$crate::parameters::Parameter] = &[$({
                    let parameter = $crate::parameters::Parameter::new(
                        stringify!($field),
                        $crate::__parameter!(@kind $kind $($($argument)*)?),
                        $crate::__parameter!(@presence $($default $($unit)?)?),
                        concat!($($doc, "\n"),*),
                    );
                    $($(let parameter = $crate::__parameter!(@option parameter $option $value);)*)?
                    parameter
                }),*];
                const IGNORED: &[$crate::parameters::Note] =
                    &[$($($crate::parameters::Note::new($ignored, $why)),*)?];
                const REFUSED: &[$crate::parameters::Note] =
                    &[$($($crate::parameters::Note::new($refused, $reason)),*)?];
                const CASE_INSENSITIVE: bool = $crate::__parameter!(@case $($case)?);
                $crate::ParameterTable::new($driver, CASE_INSENSITIVE, PARAMETERS, IGNORED, REFUSED)
            };

            /// Reads the parameters from what was given.
            ///
            /// # Errors
            /// `InvalidParameter`, naming the parameter and what is allowed, if one is unknown,
            /// refused, missing, of the wrong kind or out of range.
            $vis fn parse(parameters: $crate::Parameters) -> $crate::Result<Self> {
                const TABLE: &$crate::ParameterTable = &$name::TABLE;
                #[allow(unused_variables)]
                let reader = $crate::parameters::Reader::new(TABLE, parameters)?;
                Ok($name {
                    $($field: $crate::__parameter!(@read reader $kind (stringify!($field)) $($default)?),)*
                })
            }
        }
    };
}

/// The parts of [`parameters!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __parameter {
    (@field $kind:ident) => { ::std::option::Option<$crate::__parameter!(@type $kind)> };
    (@field $kind:ident $default:tt) => { $crate::__parameter!(@type $kind) };

    (@type String) => { ::std::string::String };
    (@type Bool) => { bool };
    (@type Integer) => { i64 };
    (@type Bytes) => { u64 };
    (@type Duration) => { ::std::time::Duration };
    (@type Choice) => { &'static str };
    (@type List) => { ::std::vec::Vec<::std::string::String> };
    (@type Map) => { $crate::Parameters };
    (@type Secret) => { $crate::Secret };
    (@type Path) => { ::std::path::PathBuf };
    (@type Limit) => { u64 };

    (@case) => { false };
    (@case case_insensitive) => { true };

    (@kind Integer) => { $crate::parameters::Kind::Integer { min: i64::MIN, max: i64::MAX } };
    (@kind Integer $min:literal ..) => { $crate::parameters::Kind::Integer { min: $min, max: i64::MAX } };
    (@kind Integer $min:literal ..= $max:literal) => {
        $crate::parameters::Kind::Integer { min: $min, max: $max }
    };
    (@kind Bytes) => { $crate::parameters::Kind::Bytes { min: 0, max: u64::MAX } };
    (@kind Bytes $min:literal $($a:ident)? ..) => {
        $crate::parameters::Kind::Bytes { min: $min $(* $a)?, max: u64::MAX }
    };
    (@kind Bytes $min:literal $($a:ident)? ..= $max:literal $($b:ident)?) => {
        $crate::parameters::Kind::Bytes { min: $min $(* $a)?, max: $max $(* $b)? }
    };
    (@kind Duration) => {
        $crate::parameters::Kind::Duration {
            min: ::std::time::Duration::ZERO,
            max: ::std::time::Duration::MAX,
        }
    };
    (@kind Duration $min:literal $($a:ident)? ..) => {
        $crate::parameters::Kind::Duration {
            min: ::std::time::Duration::from_nanos($min $(* $a)?),
            max: ::std::time::Duration::MAX,
        }
    };
    (@kind Duration $min:literal $($a:ident)? ..= $max:literal $($b:ident)?) => {
        $crate::parameters::Kind::Duration {
            min: ::std::time::Duration::from_nanos($min $(* $a)?),
            max: ::std::time::Duration::from_nanos($max $(* $b)?),
        }
    };
    (@kind Choice $($choice:literal),+ $(,)?) => { $crate::parameters::Kind::Choice(&[$($choice),+]) };
    (@kind Limit $min:literal) => { $crate::parameters::Kind::Limit { min: $min } };
    (@kind $kind:ident) => { $crate::parameters::Kind::$kind };

    (@presence) => { $crate::parameters::Presence::Optional };
    (@presence required) => { $crate::parameters::Presence::Required };
    (@presence $default:literal $($unit:ident)?) => {
        $crate::parameters::Presence::Default(concat!($default $(, " ", stringify!($unit))?))
    };

    (@option $parameter:ident name $name:tt) => { $parameter.with_name($name) };
    (@option $parameter:ident aliases $aliases:tt) => { $parameter.with_aliases(&$aliases) };
    (@option $parameter:ident deprecated $note:tt) => { $parameter.with_deprecated($note) };
    (@option $parameter:ident required_unless $other:tt) => { $parameter.with_required_unless($other) };

    (@read $reader:ident $kind:ident ($field:expr)) => {
        $reader.optional::<$crate::parameters::kinds::$kind>($field)?
    };
    (@read $reader:ident $kind:ident ($field:expr) $default:tt) => {
        $reader.value::<$crate::parameters::kinds::$kind>($field)?
    };
}
