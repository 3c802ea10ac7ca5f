"""linalg's products of matrices, and how they read them if nothing is transposed."""

PLAIN = {
    "linalg.matmul": [[0, 2], [2, 1], [0, 1]],
    "linalg.batch_matmul": [[0, 1, 3], [0, 3, 2], [0, 1, 2]],
}
