//! The same verbs as a typed client, over the network or straight into an in-process service.
