# LightConv with context-gated convolutions in the encoder (Sec. 4.4, Table 6).
_base_ = "./lightconv_iwslt14.py"
model = dict(encoder=dict(mixer=dict(type="CGCLightweightConv")))
