/// What is wrong with a part of the template, and where it stands.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) place: String,
    pub(super) detail: String,
}
