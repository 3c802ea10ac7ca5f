"""Bundles on phones and boards of another kind than this machine.

bundle  -->  folder.py    a folder with all that a device needs, and a script that runs it
        -->  phone.py     adb brings it to a device, runs it, fetches results
        -->  results.py   what came back: outputs, times of calls and of layers
        -->  verdict.py   are outputs right, and the same in every run?
"""
