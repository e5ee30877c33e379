# IWSLT'14 German-English as tools/data/prepare_iwslt14.py writes it.
data_root = "data/iwslt14"
data_help = dict(
    prepare="python tools/data/prepare_iwslt14.py data/iwslt14", mini="configs/lightconv_cgc_copy_mini.py"
)
sentences = dict(
    type="ParallelText",
    data_root=data_root,
    source_dictionary="dict.de.txt",
    target_dictionary="dict.en.txt",
    bpe_codes="code",
    languages=("de", "en"),
)
loader = dict(num_workers=1, persistent_workers=True, collate_fn=dict(type="collate_pairs"), batch_size=None)
batches = dict(type="TokenBatchSampler", max_tokens=4000)  # the protocol of [37]
train_dataloader = dict(
    **loader,
    sampler=dict(type="ResumableSampler", shuffle=True),
    batch_sampler=batches,
    dataset=dict(**sentences, source_file="train.de", target_file="train.en"),
)
val_dataloader = dict(
    **loader,
    sampler=dict(type="DefaultSampler", shuffle=False),
    batch_sampler=batches,
    dataset=dict(**sentences, source_file="valid.de", target_file="valid.en"),
)
test_dataloader = dict(
    **loader,
    sampler=dict(type="DefaultSampler", shuffle=False),
    batch_sampler=batches,
    dataset=dict(**sentences, source_file="test.de", target_file="test.en"),
)
