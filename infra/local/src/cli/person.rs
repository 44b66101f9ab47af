//! What people are named by.

use contracts::{Email, EmployeeId};

pub(super) fn employee(text: &str) -> Result<EmployeeId, String> {
    EmployeeId::parse(text).map_err(|error| error.to_string())
}

pub(super) fn email(text: &str) -> Result<Email, String> {
    Email::parse(text).map_err(|error| error.to_string())
}
