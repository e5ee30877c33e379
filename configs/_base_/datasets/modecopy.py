# The copy task, drawn from a seed. All sizes are our choice: 4 epochs of these sentences are 2,000 steps.
loader = dict(
    num_workers=0,
    collate_fn=dict(type="collate_pairs"),
    batch_size=64,
    batch_sampler=dict(type="TokenBatchSampler", max_tokens=4000),
)
train_dataloader = dict(
    **loader,
    sampler=dict(type="ResumableSampler", shuffle=True),
    dataset=dict(type="ModeCopies", sentences=32000, seed=1),
)
val_dataloader = dict(
    **loader,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(type="ModeCopies", sentences=200, seed=2),
)
test_dataloader = dict(
    **loader,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(type="ModeCopies", sentences=500, seed=3),
)
