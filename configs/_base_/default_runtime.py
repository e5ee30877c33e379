# What every run shares.
default_scope = "mmaction"
custom_imports = dict(imports=["cgc_video"], allow_failed_imports=False)  # for MMAction2's own tools; ours import it themselves

default_hooks = dict(
    runtime_info=dict(type="RuntimeInfoHook"),
    timer=dict(type="IterTimerHook"),
    logger=dict(type="LoggerHook", interval=20, ignore_last=False),
    param_scheduler=dict(type="ParamSchedulerHook"),
    # after each epoch, and every half hour of a long one; our choice
    checkpoint=dict(
        type="SafeCheckpointHook", interval=1, every_minutes=30, max_keep_ckpts=2, save_best="acc/top1", rule="greater"
    ),
    sampler_seed=dict(type="DistSamplerSeedHook"),
)
custom_hooks = [
    dict(type="CurvesHook"),
    dict(type="DataTimeHook"),
    dict(type="ClassOrderHook"),
    dict(type="LossGuardHook", action="stop", max_loss=1e4),  # or action="skip"; our choice
    dict(type="DataFaultsHook"),
]

env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0),
    dist_cfg=dict(backend="nccl"),
)
log_processor = dict(type="LogProcessor", window_size=20, by_epoch=True)
vis_backends = [dict(type="LocalVisBackend")]  # or TensorboardVisBackend
visualizer = dict(type="ActionVisualizer", vis_backends=vis_backends)
log_level = "INFO"
load_from = None
resume = False

val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
val_evaluator = [dict(type="AccMetric"), dict(type="ClassReport")]
test_evaluator = val_evaluator
