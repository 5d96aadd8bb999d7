//! What the kit for drivers in Python needs.

use std::path::PathBuf;

use super::{install, versions};
use crate::project::{Outcome, Project};

/// Where the programs of an environment lie that has what the kit depends on, and not the kit.
///
/// # Errors
/// There is no Python here, or it cannot install the packages.
pub(crate) fn python_kit(project: &Project) -> Outcome<PathBuf> {
    install::pip(project, "kit", versions::PYTHON_KIT)
}
