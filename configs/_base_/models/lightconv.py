# LightConv for IWSLT'14 De-En (Wu et al. 2019, Sec. 5; Table 6): 7 encoder and 6 decoder layers of width 512, 4 heads, no GLU.
model = dict(
    type="TranslationModel",
    encoder=dict(
        vocabulary_size=8848,  # German; specials counted
        mixer=dict(type="LightweightConv", weight_dropout=0.1),
        kernel_sizes=(3, 7, 15, 31, 31, 31, 31),
        width=512,
        hidden=1024,
        heads=4,
        dropout=0.3,
    ),
    decoder=dict(
        vocabulary_size=6632,  # English
        mixer=dict(type="LightweightConv", weight_dropout=0.1),
        kernel_sizes=(3, 7, 15, 31, 31, 31),
        width=512,
        hidden=1024,
        heads=4,
        dropout=0.3,
        attention_dropout=0.1,
    ),
    label_smoothing=0.1,
    beam=dict(size=6, length_penalty=1.0),  # "necessary to set beam width to 6" (Sec. 4.4)
)
