# LightConv with dynamic convolutions in the encoder (Table 6).
_base_ = "./lightconv_iwslt14.py"
model = dict(encoder=dict(mixer=dict(type="DynamicConv")))
