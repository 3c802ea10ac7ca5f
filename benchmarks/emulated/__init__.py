"""Niwaki beside phones' engines, in model cycles of a phone's core and without a phone.

`plan` says which networks and engines, `phone_engines` how they differ from those on this machine,
`counting` runs each under the emulator (`guest` is what runs there), `table` shows what came of it.

`choices` counts kernels that layers may have, `choice_layers` which layers, `choice_table` shows
whether the fastest are chosen.
"""
