"""Charts: pure functions from blocks to accessible inline SVG, drawn without a size of their own.

x runs in per cent and y in pixels, so text and strokes never scale; paths sit in an inner SVG that is
1000 units wide and stretched.
"""
