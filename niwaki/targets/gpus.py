"""GPUs to compile for, by Vulkan."""

from __future__ import annotations

from ..elements import F16
from .machine import Gpu, Target

_FLAGS = (
    "--iree-hal-target-device=vulkan",
    # Each buffer of a kernel is a binding of its own: IREE cannot fold an offset into flat
    # memrefs for SPIR-V.
    "--iree-scheduling-optimize-bindings=false",
    # IREE would compute constants by compiling kernels for this machine's CPU.
    "--iree-opt-const-eval=false",
    # IREE 3.13 would keep command buffers and fill in what they read at each call: from the second
    # call on, copies behind a loop then take other tensors than theirs
    # (findings/iree_vulkan_copies_behind_loops.sh).
    "--iree-hal-memoization=false",
    # The largest minStorageBufferOffsetAlignment that Vulkan lets a device ask for.
    "--iree-stream-resource-min-offset-alignment=256",
)

# SPIR-V 1.3 is what Vulkan 1.1 takes. For later versions IREE marks additions that do not overflow,
# and forgets to say that the shader needs SPIR-V 1.4.
_FEATURES = "--iree-vulkan-target-features=spirv:v1.3,cap:Shader"
# IREE has one generic Vulkan target, the Android profile. The others also say how many threads a
# subgroup has, which the device must then offer.
_ANY = "vp_android_baseline_2022"
# What a shader may have on every device: storage buffers, workgroups along each axis, threads of a
# workgroup, bytes of memory that these share.
_BUFFERS, _WORKGROUPS, _THREADS, _SHARED_BYTES = 4, 65535, 128, 16 * 1024

# A quarter of what vendors' clocks and units multiply to, since layers reach that at best: 1.8
# TFLOP/s of an Adreno 730, 0.8 of a Mali-G710 with ten cores, 1.6 of a G720 with as many, 9 of a
# GeForce GTX 1080, and for any GPU those of a phone of 2020. Nothing of it has been measured, nor
# what it takes to hand tensors over: these are guesses. Plans need no more than the order of
# magnitude, since a bundle times them against each device alone.
_ADRENO = Gpu(450e9, 900e9, 4, 40e9, launch=8e-6, latency=80e-6, link=8e9)
_MALI = Gpu(200e9, 400e9, 10, 35e9, launch=10e-6, latency=100e-6, link=8e9)
_ARM5GEN = Gpu(400e9, 800e9, 10, 60e9, launch=8e-6, latency=80e-6, link=8e9)
_DESKTOP = Gpu(2200e9, 2200e9, 20, 300e9, launch=5e-6, latency=40e-6, link=6e9)
_PHONE = Gpu(150e9, 300e9, 4, 20e9, launch=10e-6, latency=100e-6, link=6e9)


def _vulkan(
    name: str,
    summary: str,
    gpu: str,
    elements: tuple[str, ...],
    speed: Gpu,
    subgroup: int = 0,
    capabilities: tuple[str, ...] = (),
    verified: str = "shaders validated, not run",
) -> Target:
    half = (F16,) if F16.name in elements else ()
    capabilities += ("GroupNonUniformShuffle",) if subgroup else ()
    features = ",".join((_FEATURES, *(f"cap:{one}" for one in capabilities)))
    return Target(
        name,
        summary,
        "gpu",
        registers=64,
        iree_flags=(*_FLAGS, f"--iree-vulkan-target={gpu}", features),
        device="vulkan",
        threads=64,
        subgroup=subgroup,
        most_threads=_THREADS,
        shared_bytes=_SHARED_BYTES,
        gpu=speed,
        buffers=_BUFFERS,
        workgroups=_WORKGROUPS,
        stores=half,
        computes=half,
        elements=elements,
        spirv_env="vulkan1.1",
        verified=verified,
    )


_RUN = "tested on Mesa's software driver"
GPUS = (
    _vulkan(
        "vulkan",
        "any Vulkan 1.1 GPU: the baseline of Android 2022",
        _ANY,
        ("f32", "i32"),
        _PHONE,
        verified=_RUN,
    ),
    _vulkan(
        "vulkan-f16",
        "any Vulkan 1.1 GPU that stores and computes f16",
        _ANY,
        ("f32", "f16", "i32"),
        _PHONE,
        capabilities=("Float16", "StorageBuffer16BitAccess"),
        verified=_RUN,
    ),
    _vulkan(
        "vulkan-adreno",
        "Qualcomm Adreno GPU",
        "adreno",
        ("f32", "f16", "i32", "i16"),
        _ADRENO,
        subgroup=64,
    ),
    _vulkan(
        "vulkan-mali",
        "Arm Mali GPU (Valhall and later)",
        "valhall",
        ("f32", "f16", "i32", "i16", "i8"),
        _MALI,
        subgroup=16,
    ),
    _vulkan(
        "vulkan-arm5gen",
        "Arm GPU of the fifth generation (G720 and later)",
        "arm5gen",
        ("f64", "f32", "f16", "i64", "i32", "i16", "i8"),
        _ARM5GEN,
        subgroup=16,
    ),
    _vulkan(
        "vulkan-desktop",
        "desktop GPU with subgroups of 32 threads, for tests",
        "pascal",
        ("f64", "f32", "f16", "i64", "i32", "i16", "i8"),
        _DESKTOP,
        subgroup=32,
    ),
)
