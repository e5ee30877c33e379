# A small encoder and decoder for the copy task. All sizes are our choice.
model = dict(
    type="TranslationModel",
    encoder=dict(
        vocabulary_size=26,
        mixer=dict(type="LightweightConv"),
        kernel_sizes=(7,),
        width=64,
        hidden=128,
        heads=4,
        dropout=0.0,
    ),
    decoder=dict(
        vocabulary_size=24,
        mixer=dict(type="LightweightConv"),
        kernel_sizes=(3, 3),
        width=64,
        hidden=128,
        heads=4,
        dropout=0.0,
        attention_dropout=0.0,
    ),
    label_smoothing=0.1,
    beam=dict(size=6, length_penalty=1.0, max_length=30),
)
