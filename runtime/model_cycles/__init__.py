"""Model cycles of a bundle on a phone's core, counted without a phone.

The bundle runs under QEMU. A plugin counts how often each basic block runs (`plugin.c`, `count`),
llvm-mca tells how many cycles a block takes on the core's ports (`port_model`), and the sum of both
is compared between kernels and engines. Memory, branches and clock rates are not modelled: say
"model cycles", never milliseconds.

    bundle --> guest.py under QEMU --> how often each block ran --> instructions by class
                                                               --> llvm-mca: cycles of each block
"""
