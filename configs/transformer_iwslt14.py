# The Transformer row of Table 6: 6 + 6 layers, the decoder's embeddings tied.
_base_ = "./lightconv_iwslt14.py"
attention = dict(_delete_=True, type="SelfAttention", dropout=0.1)
model = dict(
    encoder=dict(mixer=attention, kernel_sizes=None, num_layers=6),
    decoder=dict(mixer=attention, kernel_sizes=None, num_layers=6, tie_embeddings=True),
)
