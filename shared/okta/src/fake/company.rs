//! Acme: ten departments in seven cities, made from a seed.

use std::collections::HashSet;

use super::{Person, names::CULTURES, random::Random};
use crate::UserStatus;

struct Department {
    name: &'static str,
    people: usize,
    /// Of the head, of the managers, and of everybody else.
    titles: (&'static str, &'static str, &'static [&'static str]),
    apps: &'static [&'static str],
}

#[rustfmt::skip] // A table.
const DEPARTMENTS: [Department; 10] = [
    Department { name: "Engineering", people: 90,
        titles: ("VP Engineering", "Engineering Manager", &["Software Engineer", "Senior Software Engineer",
            "Staff Engineer", "Site Reliability Engineer", "QA Engineer", "Security Engineer"]),
        apps: &["GitHub", "Jira", "AWS IAM Identity Center", "PagerDuty", "Datadog"] },
    Department { name: "Product", people: 22,
        titles: ("Chief Product Officer", "Group Product Manager", &["Product Manager", "Product Analyst"]),
        apps: &["Jira", "Figma", "Productboard"] },
    Department { name: "Design", people: 16,
        titles: ("Head of Design", "Design Manager", &["Product Designer", "UX Researcher", "Brand Designer"]),
        apps: &["Figma", "Miro"] },
    Department { name: "Data", people: 18,
        titles: ("Head of Data", "Analytics Manager", &["Data Engineer", "Data Scientist", "Data Analyst"]),
        apps: &["GitHub", "Snowflake", "Looker"] },
    Department { name: "Sales", people: 50,
        titles: ("Chief Revenue Officer", "Regional Sales Manager", &["Account Executive", "Sales Engineer",
            "Sales Development Representative"]),
        apps: &["Salesforce", "Gong", "DocuSign"] },
    Department { name: "Marketing", people: 26,
        titles: ("Chief Marketing Officer", "Marketing Manager", &["Content Strategist", "Growth Marketer",
            "Event Coordinator"]),
        apps: &["HubSpot", "Figma"] },
    Department { name: "Customer Success", people: 36,
        titles: ("VP Customer Success", "Support Team Lead", &["Customer Success Manager", "Support Specialist",
            "Implementation Consultant"]),
        apps: &["Zendesk", "Salesforce"] },
    Department { name: "Finance", people: 16,
        titles: ("Chief Financial Officer", "Finance Manager", &["Accountant", "Financial Analyst",
            "Payroll Specialist"]),
        apps: &["NetSuite", "Expensify"] },
    Department { name: "People", people: 14,
        titles: ("Chief People Officer", "People Operations Manager", &["Recruiter", "HR Business Partner"]),
        apps: &["BambooHR", "Greenhouse"] },
    Department { name: "IT", people: 12,
        titles: ("Head of IT", "IT Manager", &["Systems Administrator", "IT Support Engineer"]),
        apps: &["Jira", "Jamf Pro", "AWS IAM Identity Center"] },
];

const CITIES: [&str; 7] = ["Berlin", "Lisbon", "London", "New York", "Kraków", "Bengaluru", "Tokyo"];

#[rustfmt::skip]
const COLOURS: [&str; 20] = [
    "Amber", "Azure", "Cobalt", "Coral", "Crimson", "Ebony", "Emerald", "Golden", "Indigo", "Ivory",
    "Jade", "Lilac", "Maroon", "Ochre", "Olive", "Pearl", "Ruby", "Scarlet", "Silver", "Teal",
];

#[rustfmt::skip]
const BIRDS: [&str; 24] = [
    "Avocet", "Bittern", "Condor", "Curlew", "Dipper", "Egret", "Falcon", "Finch", "Gannet", "Heron", "Ibis",
    "Jackdaw", "Kestrel", "Lapwing", "Merlin", "Nuthatch", "Osprey", "Plover", "Quail", "Raven", "Siskin",
    "Tern", "Wagtail", "Wren",
];

const PROJECTS: usize = COLOURS.len() * BIRDS.len();

/// Prime to [`PROJECTS`], so that nobody meets the same project twice.
const STRIDE: usize = 7;

/// IT's managers look after that many projects: more than a page of groups, and more than two.
const PROJECTS_OF_IT_MANAGERS: [usize; 2] = [230, 450];

pub(super) fn people(seed: u64) -> Vec<Person> {
    let mut random = Random::new(seed);
    let mut taken = HashSet::new();
    let mut people = Vec::new();
    for department in &DEPARTMENTS {
        for position in 0..department.people {
            people.push(person(department, position, &mut taken, &mut random));
        }
    }
    random.shuffle(&mut people);
    for (number, person) in people.iter_mut().enumerate() {
        // Ids grow with time, as Okta's do.
        person.id = format!("00u{number:03}{}", random.alphanumeric(14));
    }
    people
}

fn person(
    department: &Department,
    position: usize,
    taken: &mut HashSet<String>,
    random: &mut Random,
) -> Person {
    let culture = random.pick(CULTURES);
    let (first_name, first) = *random.pick(culture.given);
    let (last_name, last) = *random.pick(culture.family);
    let email = address(&format!("{first}.{last}"), taken);
    // Some were hired before logins were e-mail addresses.
    let login =
        if random.chance(0.1) { address(&format!("{}{last}", &first[..1]), taken) } else { email.clone() };
    let (head, manager, others) = department.titles;
    let title = match position {
        0 => head,
        1 | 2 => manager,
        _ => *random.pick(others),
    };
    let status = status(position, random);
    let apps = match status {
        UserStatus::Active | UserStatus::Suspended => apps(department, position, random),
        _ => Vec::new(),
    };
    Person {
        id: String::new(),
        status,
        login,
        email,
        first_name: first_name.to_owned(),
        last_name: last_name.to_owned(),
        title: title.to_owned(),
        department: department.name.to_owned(),
        groups: groups(department, position, random),
        apps,
    }
}

fn address(local_part: &str, taken: &mut HashSet<String>) -> String {
    let mut address = format!("{local_part}@acme.example");
    let mut namesakes = 1;
    while !taken.insert(address.clone()) {
        namesakes += 1;
        address = format!("{local_part}{namesakes}@acme.example");
    }
    address
}

fn status(position: usize, random: &mut Random) -> UserStatus {
    match random.below(100) {
        // Heads and managers are there.
        _ if position < 3 => UserStatus::Active,
        0..3 => UserStatus::Deprovisioned,
        3..5 => UserStatus::Suspended,
        5..9 => UserStatus::Staged,
        _ => UserStatus::Active,
    }
}

fn groups(department: &Department, position: usize, random: &mut Random) -> Vec<String> {
    let city = random.pick(&CITIES);
    let mut groups = vec!["Everyone".to_owned(), department.name.to_owned(), format!("Office {city}")];
    if position == 0 {
        groups.push("Leadership".to_owned());
    }
    if position < 3 {
        groups.push("Managers".to_owned());
    } else if random.chance(0.06) {
        groups.push("Contractors".to_owned());
    }
    if matches!(department.name, "Engineering" | "IT") && random.chance(0.4) {
        groups.push("On-call".to_owned());
    }
    let projects = match (department.name, position) {
        ("IT", 1 | 2) => PROJECTS_OF_IT_MANAGERS[position - 1],
        _ => random.below(5),
    };
    let first = random.below(PROJECTS);
    groups.extend((0..projects).map(|number| project(first + number * STRIDE)));
    groups
}

fn project(number: usize) -> String {
    let number = number % PROJECTS;
    format!("Project {} {}", COLOURS[number / BIRDS.len()], BIRDS[number % BIRDS.len()])
}

fn apps(department: &Department, position: usize, random: &mut Random) -> Vec<String> {
    let mut apps = vec!["Slack", "Google Workspace", "Zoom", "BambooHR"];
    apps.extend(department.apps.iter().filter(|app| **app != "BambooHR"));
    if position < 3 {
        apps.push("Workday Adaptive Planning");
    } else if random.chance(0.3) {
        apps.push("Notion");
    }
    apps.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_company_and_another_seed_another() {
        assert_eq!(people(1), people(1));
        assert_ne!(people(1), people(2));
    }

    #[test]
    fn a_company_has_everything_that_a_test_looks_for() {
        for seed in 0..20 {
            let people = people(seed);
            assert_eq!(people.len(), 300);
            let of = |status| people.iter().filter(|person| person.status == status).count();
            assert!(of(UserStatus::Active) > 250, "mostly active");
            assert!(of(UserStatus::Staged) > 0 && of(UserStatus::Deprovisioned) > 0, "not all active");
            assert_eq!(people.iter().filter(|person| person.groups.len() > 200).count(), 2);
            let distinct = |groups: &[String]| groups.iter().collect::<HashSet<_>>().len() == groups.len();
            assert!(people.iter().all(|person| distinct(&person.groups)));
            assert!(people.iter().any(|person| person.login != person.email));
            assert!(people.iter().any(|person| !person.first_name.is_ascii()));
        }
    }

    #[test]
    fn ids_logins_and_addresses_are_unique_and_plain() {
        let people = people(1);
        let distinct = |field: fn(&Person) -> &String| people.iter().map(field).collect::<HashSet<_>>().len();
        assert_eq!(distinct(|person| &person.id), people.len());
        assert_eq!(distinct(|person| &person.login), people.len());
        assert_eq!(distinct(|person| &person.email), people.len());
        assert!(people.iter().all(|person| person.email.is_ascii() && person.email.contains('.')));
        assert!(people.is_sorted_by_key(|person| &person.id), "ids grow");
    }
}
