use std::fmt::Debug;

use contracts::FailedTopic;

/// Whose records fail on a topic.
pub trait Feature: Debug + Send + Sync {
    fn topic(&self) -> &'static FailedTopic;
}

/// The features that a function serves.
#[derive(Debug)]
pub struct Features<T: ?Sized>([Box<T>; FailedTopic::ALL.len()]);

impl<T: Feature + ?Sized> Features<T> {
    /// One of each failed topic.
    ///
    /// # Panics
    /// When one is missing, as another is there twice.
    pub fn new(features: [Box<T>; FailedTopic::ALL.len()]) -> Self {
        let features = Self(features);
        for topic in FailedTopic::ALL {
            assert!(features.find(topic).is_some(), "no feature for {topic:?}");
        }
        features
    }

    pub fn of(&self, topic: &FailedTopic) -> &T {
        self.find(topic).expect("there is one of each")
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|feature| &**feature)
    }

    fn find(&self, topic: &FailedTopic) -> Option<&T> {
        self.iter().find(|feature| feature.topic() == topic)
    }
}
