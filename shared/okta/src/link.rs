//! `Link` headers: <https://www.rfc-editor.org/rfc/rfc8288#section-3>.

/// The target of `rel="next"` in one header value.
pub(crate) fn next(header: &str) -> Option<&str> {
    let mut rest = header;
    while let Some((_, from_target)) = rest.split_once('<') {
        let (target, after) = from_target.split_once('>')?;
        // A link's parameters end where the next link's target begins.
        let parameters = after.split('<').next().unwrap_or_default();
        if parameters.split([';', ',']).any(is_next) {
            return Some(target);
        }
        rest = after;
    }
    None
}

fn is_next(parameter: &str) -> bool {
    parameter.split_once('=').is_some_and(|(name, value)| {
        name.trim().eq_ignore_ascii_case("rel")
            && value.trim().trim_matches('"').split(' ').any(|rel| rel.eq_ignore_ascii_case("next"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_link_is_found_among_others() {
        let next_url = "https://x.okta.com/api/v1/users/u/groups?after=a,b&limit=200";
        for header in [
            format!("<{next_url}>; rel=\"next\""),
            format!("<https://x.okta.com/self>; rel=\"self\", <{next_url}>; rel=\"next\""),
            format!("<{next_url}>; title=\"more\"; rel=\"last next\", <https://x/self>; rel=self"),
            format!("<{next_url}>;REL=next"),
        ] {
            assert_eq!(next(&header), Some(next_url), "{header}");
        }
    }

    #[test]
    fn a_header_without_a_next_link_has_none() {
        for header in
            ["", "<", "<x", "<https://x>; rel=\"self\"", "rel=\"next\"", "<https://x>; rel=\"nextish\""]
        {
            assert_eq!(next(header), None, "{header}");
        }
    }
}
