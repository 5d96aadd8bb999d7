//! One `#[test]` per case.

/// Makes one `#[test]` of every case, in a module per topic. The expression makes a
/// [`Harness`](crate::Harness); it is evaluated once per test.
///
/// ```
/// # use storagedriver_testsuites::{BoxError, Harness, Store, async_trait};
/// # struct MyHarness;
/// # #[async_trait]
/// # impl Harness for MyHarness {
/// #     async fn open(&self) -> Result<Box<dyn Store>, BoxError> { Err("none".into()) }
/// # }
/// storagedriver_testsuites::register_suite!(MyHarness);
/// # fn main() {}
/// ```
///
/// New versions of this crate may add cases that find what was always wrong. A crate that wants to
/// take them in when it is ready names the version of the contract that it keeps; it gets the
/// cases of that version and no later one:
///
/// ```
/// # use storagedriver_testsuites::{BoxError, Harness, Store, async_trait};
/// # struct MyHarness;
/// # #[async_trait]
/// # impl Harness for MyHarness {
/// #     async fn open(&self) -> Result<Box<dyn Store>, BoxError> { Err("none".into()) }
/// # }
/// storagedriver_testsuites::register_suite!(contract = "1.0", MyHarness);
/// # fn main() {}
/// ```
///
/// A version that there is not is refused when the test is compiled:
///
/// ```compile_fail
/// # use storagedriver_testsuites::{BoxError, Harness, Store, async_trait};
/// # struct MyHarness;
/// # #[async_trait]
/// # impl Harness for MyHarness {
/// #     async fn open(&self) -> Result<Box<dyn Store>, BoxError> { Err("none".into()) }
/// # }
/// storagedriver_testsuites::register_suite!(contract = "7.0", MyHarness);
/// # fn main() {}
/// ```
///
/// A driver that is an executable, in whatever language, is tested by its path and a function that makes the
/// parameters of one store; `OutOfProcess` says what that is given. With the feature `ipc`:
///
/// ```
/// # #[cfg(feature = "ipc")] mod with_the_feature {
/// use storagedriver::Parameters;
///
/// storagedriver_testsuites::register_suite!(
///     executable = "target/registry-storage-swift",
///     parameters = |directory| Parameters::from_iter([("container", directory.display().to_string())])
/// );
/// # }
/// # fn main() {}
/// ```
///
/// Two suites in one test binary go into a module each.
#[macro_export]
macro_rules! register_suite {
    (contract = "1.0", $($harness:tt)+) => {
        $crate::register_suite!($($harness)+);
    };
    (contract = $version:literal, $($harness:tt)+) => {
        compile_error!(concat!(
            "the contract has no version ",
            stringify!($version),
            "; this release of storagedriver-testsuites knows \"1.0\""
        ));
    };
    (executable = $executable:expr, parameters = $parameters:expr $(,)?) => {
        $crate::register_suite!($crate::OutOfProcess::new($executable, $parameters));
    };
    ($harness:expr $(,)?) => {
        fn storagedriver_testsuites_harness() -> impl $crate::Harness {
            $harness
        }

        $crate::__with_cases! { [$crate::__tests] }
    };
}

/// The tests of one table.
#[macro_export]
#[doc(hidden)]
macro_rules! __tests {
    ($($topic:ident {$(
        $name:ident: [$($sentence:literal),+ $(,)?] $(needs [$($guarantee:ident),+])?;
    )+})+) => {$(
        mod $topic {$(
            #[test]
            fn $name() -> $crate::Checked {
                let name = concat!(stringify!($topic), "::", stringify!($name));
                $crate::run_case(name, super::storagedriver_testsuites_harness())
            }
        )+}
    )+};
}
