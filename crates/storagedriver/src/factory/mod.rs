//! Finds a driver by its name.

mod middleware;

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

pub use self::middleware::MiddlewareRegistration;
use crate::{Error, Operation, ParameterTable, Parameters, Result, Storage};

/// What a driver crate says about itself, so that a program finds the driver by its name.
///
/// ```
/// use storagedriver::{Error, Parameters, Registration};
///
/// storagedriver::parameters! {
///     /// Parameters of the driver `example`.
///     pub struct ExampleParameters for "example" {
///         /// The directory that everything lies below.
///         rootdirectory: Path = required,
///     }
/// }
///
/// /// The driver `example`.
/// pub const DRIVER: Registration = Registration {
///     name: "example",
///     crate_name: env!("CARGO_PKG_NAME"),
///     crate_version: env!("CARGO_PKG_VERSION"),
///     summary: "An example, that cannot be made",
///     table: &ExampleParameters::TABLE,
///     create: |parameters| {
///         Box::pin(async move {
///             let parameters = ExampleParameters::parse(parameters)?;
///             let root = parameters.rootdirectory.display().to_string();
///             Err(Error::invalid_parameter("example", "rootdirectory", format!("{root} is not there")))
///         })
///     },
/// };
///
/// storagedriver::register!(DRIVER);
///
/// # fn main() {
/// assert!(storagedriver::factory::registered().iter().any(|driver| driver.name == "example"));
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct Registration {
    /// The driver's name, `[a-z0-9-]+`.
    pub name: &'static str,
    /// The crate that holds the driver: `env!("CARGO_PKG_NAME")`.
    pub crate_name: &'static str,
    /// That crate's version: `env!("CARGO_PKG_VERSION")`.
    pub crate_version: &'static str,
    /// What the driver is, in one line.
    pub summary: &'static str,
    /// The parameters that it takes.
    pub table: &'static ParameterTable,
    /// Makes the driver.
    pub create: fn(Parameters) -> BoxFuture<'static, Result<Storage>>,
}

impl Registration {
    fn is(&self, other: &Registration) -> bool {
        (self.name, self.crate_name, self.crate_version)
            == (other.name, other.crate_name, other.crate_version)
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} {})", self.name, self.crate_name, self.crate_version)
    }
}

/// Finds drivers that no linked crate holds, such as executables of that name.
#[derive(Clone, Copy)]
pub struct Resolver {
    /// The crate that holds the resolver.
    pub crate_name: &'static str,
    /// That crate's version.
    pub crate_version: &'static str,
    /// Makes the driver of this name; `None` if there is none.
    pub resolve: fn(String, Parameters) -> BoxFuture<'static, Result<Option<Storage>>>,
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "resolver of {} {}", self.crate_name, self.crate_version)
    }
}

inventory::collect!(Registration);
inventory::collect!(Resolver);

/// Registers a [`Registration`](crate::Registration), a [`Resolver`](crate::Resolver) or a
/// [`MiddlewareRegistration`](crate::MiddlewareRegistration) at link time.
///
/// The argument is a constant. A program finds it once it refers to the crate, if only by
/// `use storagedriver_example as _;`. See [`Registration`] for an example.
#[macro_export]
macro_rules! register {
    ($registration:expr) => {
        $crate::__private::inventory::submit! { $registration }
    };
}

type Resolve = Arc<dyn Fn(String, Parameters) -> BoxFuture<'static, Result<Option<Storage>>> + Send + Sync>;

/// A set of drivers, by name.
#[derive(Clone, Default)]
pub struct Factory {
    drivers: Vec<Registration>,
    middleware: Vec<MiddlewareRegistration>,
    resolvers: Vec<Resolve>,
}

impl Factory {
    /// Knows no driver; [`with`](Self::with) adds them. Needs no registration at link time: for
    /// static libraries, tests and embedding.
    pub fn new() -> Self {
        Self::default()
    }

    /// Knows the drivers and resolvers that are linked into this program.
    pub fn linked() -> Self {
        let drivers = inventory::iter::<Registration>.into_iter().copied().collect();
        let resolvers = inventory::iter::<Resolver>
            .into_iter()
            .map(|resolver| Arc::new(resolver.resolve) as Resolve)
            .collect();
        let middleware = inventory::iter::<MiddlewareRegistration>.into_iter().copied().collect();
        Factory { drivers, middleware, resolvers }
    }

    /// Adds a driver. One of the same crate, version and name is there already: it takes its place.
    #[must_use]
    pub fn with(mut self, driver: Registration) -> Self {
        self.drivers.retain(|held| !held.is(&driver));
        self.drivers.push(driver);
        self
    }

    /// Adds a middleware. One of the same crate, version and name is there already: it takes its
    /// place.
    #[must_use]
    pub fn with_middleware(mut self, middleware: MiddlewareRegistration) -> Self {
        self.middleware.retain(|held| !held.is(&middleware));
        self.middleware.push(middleware);
        self
    }

    /// Adds a resolver: it is asked, after those before it, for a name that no driver has.
    #[must_use]
    pub fn with_resolver(
        mut self,
        resolve: impl Fn(String, Parameters) -> BoxFuture<'static, Result<Option<Storage>>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.resolvers.push(Arc::new(resolve));
        self
    }

    /// The drivers, by name. A name held by two crates is listed for each.
    pub fn registered(&self) -> Vec<Registration> {
        let mut drivers = self.drivers.clone();
        drivers.sort_by_key(|driver| (driver.name, driver.crate_name, driver.crate_version));
        drivers
    }

    /// The driver of this name, if one is registered; resolvers are not asked.
    ///
    /// # Errors
    /// [`DuplicateStorageDriver`](Error::DuplicateStorageDriver) if more than one is.
    pub fn find(&self, name: &str) -> Result<Option<Registration>> {
        let found: Vec<_> = self.registered().into_iter().filter(|driver| driver.name == name).collect();
        match found.as_slice() {
            [] => Ok(None),
            [driver] => Ok(Some(*driver)),
            several => Err(Error::DuplicateStorageDriver {
                name: name.to_owned(),
                crates: several.iter().map(|d| format!("{} {}", d.crate_name, d.crate_version)).collect(),
            }),
        }
    }

    /// The middleware of this name, if one is registered.
    ///
    /// # Errors
    /// [`InvalidConfiguration`](Error::InvalidConfiguration) if more than one is.
    pub fn find_middleware(&self, name: &str) -> Result<Option<MiddlewareRegistration>> {
        let found: Vec<_> = self.middleware.iter().filter(|middleware| middleware.name == name).collect();
        match found.as_slice() {
            [] => Ok(None),
            [middleware] => Ok(Some(**middleware)),
            several => Err(Error::invalid_configuration(format!(
                "storage middleware {name:?} is registered more than once: {several:?}; link only one of them"
            ))),
        }
    }

    /// The names of the middleware, sorted.
    pub fn middleware_names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.middleware.iter().map(|middleware| middleware.name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Makes the driver of this name.
    ///
    /// # Errors
    /// [`InvalidStorageDriver`](Error::InvalidStorageDriver) if there is none,
    /// [`DuplicateStorageDriver`](Error::DuplicateStorageDriver) if several crates hold one,
    /// [`InvalidParameter`](Error::InvalidParameter), or what the driver finds when it starts.
    pub async fn create(&self, name: &str, parameters: Parameters) -> Result<Storage> {
        let stamped = |error: Error| error.stamped(&Arc::from(name), Operation::Create, None);
        if let Some(driver) = self.find(name)? {
            return (driver.create)(parameters).await.map_err(stamped);
        }
        if is_name(name) {
            for resolve in &self.resolvers {
                if let Some(storage) = resolve(name.to_owned(), parameters.clone()).await.map_err(stamped)? {
                    return Ok(storage);
                }
            }
        }
        let mut registered: Vec<_> = self.drivers.iter().map(|driver| driver.name.to_owned()).collect();
        registered.sort();
        registered.dedup();
        Err(Error::InvalidStorageDriver { name: name.to_owned(), registered })
    }
}

impl fmt::Debug for Factory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Factory")
            .field("drivers", &self.drivers)
            .field("middleware", &self.middleware)
            .field("resolvers", &self.resolvers.len())
            .finish()
    }
}

/// Whether a driver may have this name: `[a-z0-9-]+`.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// The drivers that are linked into this program, by name.
pub fn registered() -> Vec<Registration> {
    Factory::linked().registered()
}

/// Makes a driver that is linked into this program. See [`Factory::create`].
///
/// # Errors
/// As [`Factory::create`].
pub async fn create(name: &str, parameters: Parameters) -> Result<Storage> {
    Factory::linked().create(name, parameters).await
}
