//! Vectors of one model are never compared with those of another.

use base::Distance;
use catalog::IndexModel;
use vectors::{By, Nearness, NewIndex, Search};

use crate::lake::{code, found, index, item, name, near, open};

#[tokio::test]
async fn the_first_vectors_state_the_model() {
    let lake = testkit::TestLake::open().await;
    let process = open(&lake.store).await;
    let vectors = &process.vectors;
    vectors.create(index("found", 1, Distance::Dot)).await.unwrap();
    vectors.add(&name("found"), vec![item("a", &[1.0])], None).await.unwrap();
    assert_eq!(vectors.model_of(&name("found"), None).await.unwrap().fingerprint, None);
    vectors.add(&name("found"), vec![item("b", &[1.0])], Some("first".into())).await.unwrap();
    for process in [&process, &open(&lake.reopen().await).await] {
        let vectors = &process.vectors;
        assert_eq!(vectors.model_of(&name("found"), None).await.unwrap().fingerprint.as_deref(), Some("first"));
        let other = vectors.add(&name("found"), vec![item("c", &[1.0])], Some("second".into())).await;
        assert_eq!(code(other), "vectors.other_model");
        let of = |model: &str| Nearness { fingerprint: Some(model.into()), ..Nearness::to(vec![1.0]) };
        for other in [By::Near(of("second")), By::Both("x".into(), of("second"))] {
            let refused = vectors.search(&name("found"), Search::new(other, 1), None).await;
            assert_eq!(code(refused), "vectors.other_model");
        }
        let query = Search::new(By::Near(of("first")), 9);
        assert_eq!(vectors.search(&name("found"), query, None).await.unwrap().results.len(), 2);
        assert_eq!(vectors.search(&name("found"), near(&[1.0], 9), None).await.unwrap().results.len(), 2);
    }
}

#[tokio::test]
async fn the_settings_state_the_model() {
    let process = found(1, Distance::Dot).await;
    let vectors = &process.vectors;
    let model = IndexModel { name: "mini".into(), fingerprint: "first".into() };
    let new = NewIndex { model: Some(model.clone()), ..index("texts", 1, Distance::Dot) };
    let created = vectors.create(new).await.unwrap();
    assert_eq!((created.model.as_deref(), created.fingerprint.as_deref()), (Some("mini"), Some("first")));
    let other = vectors.add(&name("texts"), vec![item("c", &[1.0])], Some("second".into())).await;
    assert_eq!(code(other), "vectors.other_model");
    vectors.add(&name("texts"), vec![item("c", &[1.0])], Some("first".into())).await.unwrap();
    let state = vectors.model_of(&name("texts"), None).await.unwrap();
    assert_eq!((state.dimension, state.model, state.fingerprint.as_deref()), (1, Some(model), Some("first")));
}
