# The mode-tag task, drawn from a seed. All sizes are our choice: 3 epochs of these sentences are 750 steps.
loader = dict(num_workers=0, collate_fn=dict(type="collate_tags"), batch_size=64)
train_dataloader = dict(
    **loader,
    sampler=dict(type="ResumableSampler", shuffle=True),
    dataset=dict(type="ModeTags", sentences=16000, seed=1),
)
# Two layers of k = 3 see 2 tokens to either side.
val_dataloader = dict(
    **loader,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(type="ModeTags", sentences=500, seed=2, scored_beyond=2),
)
test_dataloader = dict(
    **loader,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(type="ModeTags", sentences=1000, seed=3, scored_beyond=2),
)
