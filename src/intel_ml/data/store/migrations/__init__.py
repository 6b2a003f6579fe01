"""src/intel_ml/data/store/migrations"""
