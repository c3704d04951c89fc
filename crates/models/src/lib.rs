//! Models: texts become vectors here, by the embedded model, Ollama or an OpenAI-compatible server.
//!
//! It never caches answers, never reads the lake and is the only room that calls a model.
